/** The placement service's process. Configuration: YAGURA_CONFIG. */
import 'reflect-metadata';
import { followTokenFeed } from '#libs/contract';
import { systemClock } from '#libs/kernel';
import { readServiceConfig } from '#libs/platform/config';
import { openLog } from '#libs/platform/log';
import { TokenVerifier } from '#libs/platform/policy';
import { startService } from './service.js';

const config = readServiceConfig();
const log = openLog(config.process, config.logLevel);
const verifier = new TokenVerifier(systemClock);
const stopFeed = followTokenFeed(verifier, config.peers['identity'] ?? [], config.tls, log);
const service = await startService({ config, verifier, log });

const stop = (signal: string): void => {
  log.info({ signal }, 'stopping');
  stopFeed();
  service.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
