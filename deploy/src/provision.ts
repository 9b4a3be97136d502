/** What the data stores must hold before the services start: a database and a role each, and the bus's users. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from './container.js';
import { execIn } from './containers.js';
import { databaseOf, TEST_ROLE } from './controller-config.js';
import type { Deployment } from './deployment.js';
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
  await psql(d, SERVICE_NAMES.map((service) => roleSql(service, secrets.text(`db-${service}`))).join('\n'));
  if (d.testStores)
    await psql(d, `${roleSql(TEST_ROLE, secrets.text('db-tests'))}\nALTER ROLE ${TEST_ROLE} SUPERUSER;`);
  const existing = (await psql(d, 'SELECT datname FROM pg_database;')).split('\n');
  for (const service of SERVICE_NAMES) {
    const database = databaseOf(service);
    if (existing.includes(database)) continue;
    await psql(d, `CREATE DATABASE ${database} OWNER ${service};`);
    await psql(d, `REVOKE ALL ON DATABASE ${database} FROM PUBLIC;`);
  }
  writeFileSync(join(paths(d, 'controller').data, 'yagura', 'provisioned'), '');
}

/** Names and passwords are our own (letters, digits, - and _), so they need no quoting beyond quotes. */
const roleSql = (service: string, password: string): string => `DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${service}') THEN CREATE ROLE ${service} LOGIN PASSWORD '${password}'; END IF;
END $$;`;

const psql = (d: Deployment, sql: string): Promise<string> =>
  execIn(
    d,
    'controller',
    ['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', '/run/postgresql', '-d', 'postgres'],
    { user: 'postgres', input: `${sql}\n` },
  );

/** Waits for the broker; it has read its definitions by the time that it listens, unless they changed while it ran. */
export async function provisionBroker(d: Deployment, definitionsChanged: boolean): Promise<void> {
  await ready(d, 'rabbitmq', 90, '(: </dev/tcp/127.0.0.1/5672) 2>/dev/null');
  if (definitionsChanged)
    await execIn(
      d,
      'controller',
      ['rabbitmqctl', '-q', '-n', 'yagura@localhost', 'import_definitions', '/etc/yagura/rabbitmq-definitions.json'],
      { user: 'rabbitmq' },
    );
}
