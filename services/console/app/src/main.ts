/** The process that serves consoles. Configuration: YAGURA_CONFIG. */
import { readConfig } from '#libs/platform/config';
import { openLog } from '#libs/platform/log';
import { startService } from './service.js';

const config = readConfig();
const { publicUrl, http, peers, tls } = config;
if (publicUrl === undefined || http === undefined || peers === undefined)
  throw new Error('publicUrl, http and peers are needed');
const log = openLog(config.process, config.logLevel);
const service = await startService({ publicUrl, http, peers, tls }, log);

const stop = (signal: string): void => {
  log.info({ signal }, 'stopping');
  service.stop();
  process.exit(0);
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
