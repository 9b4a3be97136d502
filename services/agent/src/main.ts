/** Entry of the agent's process. Supervision restarts it; guests do not notice. */
import { Gauge, metrics, openLog } from '#libs/platform/log';
import { readAgentConfig } from './config.js';
import { startDaemon } from './daemon.js';

const config = readAgentConfig();
const log = openLog(config.process.process, config.process.logLevel);
const daemon = await startDaemon(config, log);
new Gauge({
  name: 'yagura_agent_servers',
  help: 'Servers on the nodes of this process',
  registers: [metrics],
  collect() {
    this.set(daemon.servers());
  },
});

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'the agent stops; guests go on');
    setTimeout(() => process.exit(0), 5_000).unref();
    void daemon.stop().finally(() => process.exit(0));
  });
}
process.on('unhandledRejection', (error) => {
  log.fatal({ err: error }, 'an error was not handled; starting anew');
  process.exit(1);
});
