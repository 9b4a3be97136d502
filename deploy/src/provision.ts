/** What the data stores must hold before the services start: a database and a role each, and the bus's users. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from './container.js';
import { execIn } from './containers.js';
import { databaseOf, TEST_ROLE } from './controller-config.js';
import type { Deployment } from './deployment.js';
import { Mark } from './freshness.js';
import { lastWords, Unhealthy } from './health.js';
import { SERVICE_NAMES } from './layout.js';
import type { Secrets } from './secrets.js';

/** Waits for a data store inside the controller; its last words are the error. */
async function ready(d: Deployment, process: string, limitS: number, check: string): Promise<void> {
  const wait = ['bash', '-c', `until ${check}; do sleep 0.1; done`];
  await execIn(d, 'controller', wait, { timeoutMs: limitS * 1000 }).catch(() => {
    throw new Unhealthy(lastWords(d, 'controller', process));
  });
}

export async function provisionDatabases(d: Deployment, secrets: Secrets): Promise<void> {
  await ready(d, 'postgresql', 60, 'pg_isready -q -h /run/postgresql');
  const found = (await psql(d, 'SELECT rolname FROM pg_roles UNION ALL SELECT datname FROM pg_database;')).split('\n');
  const statements = SERVICE_NAMES.flatMap((service) => {
    const database = databaseOf(service);
    return [
      ...(found.includes(service) ? [] : [createRole(service, secrets.text(`db-${service}`))]),
      ...(found.includes(database) ? [] : [`CREATE DATABASE ${database} OWNER ${service};`]),
      ...(found.includes(database) ? [] : [`REVOKE ALL ON DATABASE ${database} FROM PUBLIC;`]),
    ];
  });
  if (d.testStores && !found.includes(TEST_ROLE))
    statements.push(createRole(TEST_ROLE, secrets.text('db-tests'), 'SUPERUSER'));
  if (statements.length > 0) await psql(d, statements.join('\n'));
  writeFileSync(join(paths(d, 'controller').data, 'yagura', 'provisioned'), '');
}

/** Names and passwords are our own (letters, digits, - and _), so they need no quoting beyond quotes. */
const createRole = (name: string, password: string, also = ''): string =>
  `CREATE ROLE ${name} LOGIN ${also} PASSWORD '${password}';`;

const psql = (d: Deployment, sql: string): Promise<string> =>
  execIn(
    d,
    'controller',
    ['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', '/run/postgresql', '-d', 'postgres'],
    { user: 'postgres', input: `${sql}\n` },
  );

/** Waits for the broker; it has read its definitions by the time that it listens, unless they changed while it ran. */
export async function provisionBroker(d: Deployment): Promise<void> {
  await ready(d, 'rabbitmq', 90, '(: </dev/tcp/127.0.0.1/5672) 2>/dev/null');
  const definitions = new Mark(d, 'controller', 'rabbitmq-definitions.json', 'rabbitmq');
  if (!definitions.changed) return;
  const argv = ['rabbitmqctl', '-q', 'import_definitions', '/etc/yagura/rabbitmq-definitions.json'];
  await execIn(d, 'controller', argv, { user: 'rabbitmq' });
  definitions.set();
}
