import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomIds } from '#libs/kernel';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { bootstrap } from './bootstrap.js';
import { Secrets } from './secrets.js';
import { identityMigrations } from './store.js';

let scratch: ScratchDatabase;
let secrets: Secrets;
beforeAll(async () => {
  scratch = await scratchDatabase([identityMigrations]);
  secrets = await Secrets.open();
});
afterAll(() => scratch.drop());

const wanted = {
  adminPassword: 'admin-first',
  demoPassword: 'demo-first',
  region: 'RegionOne',
  endpoints: { identity: 'http://a/identity/v3', compute: 'http://a/compute/v2.1' },
};
const run = (more: Partial<typeof wanted> = {}) => bootstrap(scratch.db, secrets, randomIds, { ...wanted, ...more });
const count = async (table: string): Promise<number> =>
  (await scratch.db.one<{ n: number }>(`select count(*) as n from ${table}`))!.n;
const hashOf = async (name: string) =>
  (await scratch.db.one<{ password_hash: string }>('select password_hash from users where name = $1', [name]))!
    .password_hash;
const version = async () => (await scratch.db.one<{ v: number }>('select directory_version as v from ledger'))!.v;

it('makes what a cloud starts with, once, however many processes start together', async () => {
  await Promise.all([run(), run(), run()]);
  const tables = ['projects', 'users', 'roles', 'implied_roles', 'assignments', 'services', 'endpoints', 'regions'];
  expect(await Promise.all(tables.map(count))).toEqual([3, 2, 5, 3, 3, 2, 6, 1]);
  expect(await secrets.verify('admin-first', await hashOf('admin'))).toBe(true);
});

it('leaves alone what was changed or taken away since', async () => {
  const before = { hash: await hashOf('admin'), version: await version() };
  await scratch.db.exec("delete from users where name = 'demo'");
  await run({ adminPassword: 'another-one' });
  expect(await hashOf('admin')).toBe(before.hash);
  expect([await count('users'), await version()]).toEqual([1, before.version]);
});

it('lets the catalog follow the configuration', async () => {
  const before = await version();
  await run({ endpoints: { ...wanted.endpoints, compute: 'http://b/compute/v2.1' } });
  const urls = await scratch.db.query<{ url: string }>(
    'select e.url from endpoints e join services s on s.id = e.service_id where s.type = $1',
    ['compute'],
  );
  expect(urls).toEqual([1, 2, 3].map(() => ({ url: 'http://b/compute/v2.1' })));
  expect(await version()).toBe(before + 1);
});
