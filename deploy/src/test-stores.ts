/** Where integration tests on this machine find the cloud's own data stores, when it was told to let them in. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TEST_BROKER_USER, TEST_ROLE, TEST_VHOST } from './controller-config.js';
import { controllerAddress, type Deployment } from './deployment.js';
import type { Secrets } from './secrets.js';

export function writeTestStores(d: Deployment, secrets: Secrets): void {
  const file = join(d.state, 'etc', 'test-stores.json');
  rmSync(file, { force: true });
  if (!d.testStores) return;
  const at = controllerAddress(d);
  const stores = {
    postgres: `postgres://${TEST_ROLE}:${secrets.text('db-tests')}@${at}:5432/postgres`,
    amqp: `amqp://${TEST_BROKER_USER}:${secrets.text(`amqp-${TEST_BROKER_USER}`)}@${at}:5672/${TEST_VHOST}`,
  };
  writeFileSync(`${file}.new`, `${JSON.stringify(stores, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
