/** The compute service's process. Configuration: YAGURA_CONFIG. */
import 'reflect-metadata';
import { followTokenFeed } from '#libs/contract';
import { systemClock } from '#libs/kernel';
import { readServiceConfig } from '#libs/platform/config';
import { openLog } from '#libs/platform/log';
import { TokenVerifier } from '#libs/platform/policy';
import { type RunningService, startService } from './service.js';

/** A supervisor counts on us to be gone by then. */
const STOP_MS = 1_900;

const config = readServiceConfig();
const log = openLog(config.process, config.logLevel);
const verifier = new TokenVerifier(systemClock);
const stopFeed = followTokenFeed(verifier, config.peers['identity'] ?? [], config.tls, log);
const stopping = new AbortController();
let service: RunningService | undefined;

const stop = (signal: string): void => {
  log.info({ signal }, 'stopping');
  setTimeout(() => process.exit(0), STOP_MS).unref();
  stopFeed();
  stopping.abort();
  void (service?.stop() ?? Promise.resolve()).then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);

service = await startService({ config, verifier, log, signal: stopping.signal });
