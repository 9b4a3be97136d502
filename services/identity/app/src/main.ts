/** One process of identity. Configuration: YAGURA_CONFIG. */
import 'reflect-metadata';
import { readServiceConfig } from '#libs/platform/config';
import { openLog } from '#libs/platform/log';
import { identityOptions } from './options.js';
import { startIdentity } from './service.js';

const config = readServiceConfig();
const log = openLog(config.process, config.logLevel);
const identity = await startIdentity({ config, options: identityOptions(config.options), log });

const stop = (signal: string): void => {
  log.info({ signal }, 'stopping');
  setTimeout(() => process.exit(1), 5_000).unref();
  identity.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
