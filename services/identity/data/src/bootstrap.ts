/**
 * What must be there before anybody can log in: made once, when the database is new, so that what an administrator has
 * changed or taken away since stays so. Only the catalog follows the configuration at each start. Processes that start
 * together take turns.
 */
import type { Ids } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { DEFAULT_DOMAIN, INTERFACES } from '#services/identity/domain';
import { DIRECTORY } from './changes.js';
import type { Secrets } from './secrets.js';

export interface Bootstrap {
  readonly adminPassword: string;
  readonly demoPassword: string;
  readonly region: string;
  /** Public URL by type of service. */
  readonly endpoints: Readonly<Record<string, string>>;
}

/** Names of services by type, as stock clouds call them. */
const SERVICES: Readonly<Record<string, string>> = {
  identity: 'keystone',
  image: 'glance',
  network: 'neutron',
  placement: 'placement',
  compute: 'nova',
};
/** Each implies the next. */
const ROLES = ['admin', 'manager', 'member', 'reader'] as const;
/** Of services that act by themselves, such as one that tells compute of changes of a server's network. */
const SERVICE_ROLE = 'service';
const LOCK = 7_246_817;

export async function bootstrap(db: Db, secrets: Secrets, ids: Ids, wanted: Bootstrap): Promise<void> {
  const known = await db.one('select 1 from projects where id = $1', [DEFAULT_DOMAIN]);
  const hashes = known
    ? undefined
    : { admin: await secrets.hash(wanted.adminPassword), demo: await secrets.hash(wanted.demoPassword) };
  await db.tx(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [LOCK]);
    let changed = false;
    if (hashes && (await makeDomain(tx))) {
      await makePeople(tx, ids, hashes);
      changed = true;
    }
    if ((await catalog(tx, ids, wanted)) || changed) {
      await tx.exec('update ledger set directory_version = directory_version + 1');
      tx.notify(DIRECTORY);
    }
  });
}

/** False where another process was faster. */
async function makeDomain(tx: Tx): Promise<boolean> {
  const made = await tx.exec(
    `insert into projects (id, name, is_domain, description) values ($1, 'Default', true, 'The default domain')
     on conflict do nothing`,
    [DEFAULT_DOMAIN],
  );
  return made === 1;
}

async function makePeople(tx: Tx, ids: Ids, hashes: { admin: string; demo: string }): Promise<void> {
  const roles = await makeRoles(tx, ids);
  const adminProject = await makeProject(tx, ids, 'admin', 'The administrators');
  const demoProject = await makeProject(tx, ids, 'demo', 'A project to try things in');
  const admin = await makeUser(tx, ids, 'admin', hashes.admin, adminProject);
  const demo = await makeUser(tx, ids, 'demo', hashes.demo, demoProject);
  await assign(tx, roles.get('admin')!, admin, adminProject);
  await assign(tx, roles.get('admin')!, admin, null);
  await assign(tx, roles.get('member')!, demo, demoProject);
}

async function makeRoles(tx: Tx, ids: Ids): Promise<Map<string, string>> {
  const made = new Map([...ROLES, SERVICE_ROLE].map((name) => [name as string, ids.hex()]));
  for (const [name, id] of made)
    await tx.exec(`insert into roles (id, name, options) values ($1, $2, '{"immutable": true}')`, [id, name]);
  for (const [index, name] of ROLES.slice(1).entries())
    await tx.exec('insert into implied_roles (prior_id, implied_id) values ($1, $2)', [
      made.get(ROLES[index]!),
      made.get(name),
    ]);
  return made;
}

async function makeProject(tx: Tx, ids: Ids, name: string, description: string): Promise<string> {
  const id = ids.hex();
  await tx.exec(
    `insert into projects (id, name, domain_id, parent_id, description, ancestors) values ($1, $2, $3, $3, $4, array[$3])`,
    [id, name, DEFAULT_DOMAIN, description],
  );
  return id;
}

async function makeUser(tx: Tx, ids: Ids, name: string, hash: string, projectId: string): Promise<string> {
  const id = ids.hex();
  await tx.exec(
    'insert into users (id, domain_id, name, password_hash, default_project_id) values ($1, $2, $3, $4, $5)',
    [id, DEFAULT_DOMAIN, name, hash, projectId],
  );
  return id;
}

async function assign(tx: Tx, roleId: string, userId: string, targetId: string | null): Promise<void> {
  await tx.exec('insert into assignments (role_id, user_id, target_id) values ($1, $2, $3)', [
    roleId,
    userId,
    targetId,
  ]);
}

/** True when the catalog changed. */
async function catalog(tx: Tx, ids: Ids, wanted: Bootstrap): Promise<boolean> {
  await tx.exec('insert into regions (id) values ($1) on conflict do nothing', [wanted.region]);
  let changed = 0;
  for (const [type, url] of Object.entries(wanted.endpoints)) {
    const known = await tx.one<{ id: string }>('select id from services where type = $1 order by created_at, id', [
      type,
    ]);
    const serviceId = known?.id ?? ids.hex();
    if (!known)
      changed += await tx.exec('insert into services (id, type, name) values ($1, $2, $3)', [
        serviceId,
        type,
        SERVICES[type] ?? type,
      ]);
    for (const kind of INTERFACES)
      changed += await tx.exec(
        `insert into endpoints (id, service_id, region_id, interface, url, configured) values ($1, $2, $3, $4, $5, true)
         on conflict (service_id, region_id, interface) where configured
         do update set url = excluded.url where endpoints.url <> excluded.url`,
        [ids.hex(), serviceId, wanted.region, kind, url],
      );
  }
  return changed > 0;
}
