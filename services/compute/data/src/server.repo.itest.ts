import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Db } from '#libs/platform/db';
import { flowMigrations } from '#libs/platform/flow';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { computeMigrations, listServers, type NewServer, QuotaRepo, Seal, ServerRepo } from './index.js';

const NOW = new Date('2026-01-02T03:04:05.678Z');
const LATER = new Date('2026-01-02T03:05:05Z');
const seal = new Seal(Buffer.alloc(32, 1));
const servers = new ServerRepo(seal);
const quotas = new QuotaRepo();

let scratch: ScratchDatabase;
let db: Db;
beforeAll(async () => {
  scratch = await scratchDatabase([flowMigrations, computeMigrations]);
  db = scratch.db;
});
afterAll(() => scratch.drop());

const flavor = {
  id: 'f',
  name: 'f',
  vcpus: 2,
  memoryMb: 512,
  diskGb: 1,
  ephemeralGb: 0,
  swapMb: 0,
  rxtxFactor: 1,
  extraSpecs: {},
};
const image = { name: 'i', diskFormat: 'raw', size: 1, virtualSize: 1, sha256: '', properties: {} };
const fresh = (more: Partial<NewServer> = {}): NewServer => ({
  id: randomUUID(),
  projectId: 'p',
  userId: 'u',
  name: 'n',
  hostname: 'n',
  description: null,
  availabilityZone: null,
  pinnedZone: null,
  imageId: randomUUID(),
  image,
  flavor,
  flavorId: 'f',
  keyName: null,
  keyType: null,
  keyData: null,
  metadata: { k: 'v' },
  configDrive: false,
  nics: [],
  securityGroups: [],
  tags: ['t'],
  groupId: null,
  schedulerHints: {},
  accessIpV4: '',
  accessIpV6: '',
  diskConfig: 'MANUAL',
  reservationId: 'r',
  launchIndex: 0,
  devices: [],
  secrets: { userData: 'Y2FuYXJ5', adminPass: 'canary', files: [{ path: '/f', contents: 'Y2FuYXJ5' }] },
  ...more,
});
const add = async (more: Partial<NewServer> = {}): Promise<string> => {
  const server = fresh(more);
  await db.tx((tx) => servers.insert(tx, server, NOW));
  return server.id;
};

describe('a server', () => {
  it('comes back as it was put in', async () => {
    const server = fresh();
    await db.tx((tx) => servers.insert(tx, server, NOW));
    const { secrets, devices, ...open } = server;
    expect(devices).toEqual([]);
    expect(await servers.find(db, server.id)).toMatchObject({
      ...open,
      vmState: 'building',
      taskState: 'scheduling',
      createdAt: NOW,
    });
    expect(await servers.secrets(db, server.id)).toEqual({ ...secrets, newPass: null });
    expect(await servers.userData(db, [server.id])).toEqual(new Map([[server.id, 'Y2FuYXJ5']]));
    const dump = JSON.stringify(await db.query('select s::text, encode(admin_pass, $1) from server s', ['escape']));
    expect(dump).not.toMatch(/canary|Y2FuYXJ5/);
  });

  it('keeps its secrets to itself: another row can not open them', async () => {
    const [a, b] = [await add(), await add()];
    await db.exec('update server set admin_pass = (select admin_pass from server where id = $1) where id = $2', [a, b]);
    await expect(servers.secrets(db, b)).rejects.toThrow();
  });

  it('forgets what the guest has got', async () => {
    const id = await add();
    await servers.move(db, id, 'activated', LATER, { forgetBootSecrets: true });
    expect(await servers.secrets(db, id)).toEqual({
      ...{ userData: 'Y2FuYXJ5', adminPass: null, newPass: null },
      files: [],
    });
  });
});

describe('a move', () => {
  it('changes the row once, and tells what was left behind', async () => {
    const id = await add();
    expect(await servers.move(db, id, 'stop', LATER)).toBeUndefined();
    expect(await servers.move(db, id, 'activated', LATER, { host: 'node-1', launchedAt: LATER })).toEqual({
      generation: 1,
      rebootCount: 0,
      power: 'running',
    });
    const stops = await Promise.all(Array.from({ length: 6 }, () => servers.move(db, id, 'stop', LATER)));
    expect(stops.filter((moved) => moved !== undefined)).toEqual([{ generation: 2, rebootCount: 0, power: 'stopped' }]);
    expect(await servers.move(db, id, 'stopped', LATER, { powerState: 4 })).toBeDefined();
    expect(await servers.find(db, id)).toMatchObject({
      vmState: 'stopped',
      taskState: null,
      powerState: 4,
      host: 'node-1',
      updatedAt: LATER,
    });
    expect(await servers.move(db, id, 'rebootHard', LATER, { reboot: 'HARD' })).toMatchObject({
      rebootCount: 1,
      generation: 3,
    });
    expect(await servers.move(db, randomUUID(), 'stop', LATER)).toBeUndefined();
  });

  it('does nothing to a server that is being deleted', async () => {
    const id = await add();
    expect(await servers.move(db, id, 'remove', LATER)).toMatchObject({ power: 'absent' });
    for (const name of ['scheduled', 'networked', 'activated', 'failed', 'remove'] as const)
      expect(await servers.move(db, id, name, LATER)).toBeUndefined();
  });
});

describe('a burial', () => {
  it('happens once, keeps a history without secrets, and gives the quota back', async () => {
    const id = await add({ projectId: 'buried' });
    const limits = await quotas.limits(db, 'buried', 'u');
    await db.tx((tx) => quotas.take(tx, 'buried', 'u', { instances: 1, cores: 2, ram: 512 }, limits));
    const done = await Promise.all(Array.from({ length: 4 }, () => db.tx((tx) => servers.bury(tx, id, LATER))));
    expect(done.filter(Boolean)).toHaveLength(1);
    expect(await quotas.usage(db, 'buried')).toEqual({ instances: 0, cores: 0, ram: 0 });
    expect(await servers.find(db, id)).toBeUndefined();
    expect(await servers.findDeleted(db, id)).toMatchObject({
      vmState: 'deleted',
      terminatedAt: LATER,
      metadata: { k: 'v' },
    });
    expect(await db.one('select user_data, admin_pass, files from deleted_server where id = $1', [id])).toEqual({
      user_data: null,
      admin_pass: null,
      files: null,
    });
    expect(await servers.purge(db, NOW)).toBe(0);
    expect(await servers.purge(db, new Date(LATER.getTime() + 1))).toBe(1);
  });
});

describe('quota', () => {
  it('is never taken beyond the limit', async () => {
    await quotas.set(db, 'q', '', { cores: 9 });
    const limits = await quotas.limits(db, 'q', 'u');
    const each = { instances: 1, cores: 2, ram: 512 };
    const taken = await Promise.all(
      Array.from({ length: 12 }, () => db.tx((tx) => quotas.take(tx, 'q', 'u', each, limits))),
    );
    expect(taken.filter(Boolean)).toHaveLength(4);
    expect(await quotas.usage(db, 'q')).toEqual({ instances: 4, cores: 8, ram: 2_048 });
    const first = await quotas.limits(db, 'first', 'u');
    expect(await db.tx((tx) => quotas.take(tx, 'first', 'u', { instances: 11, cores: 1, ram: 1 }, first))).toBe(false);
    expect(await quotas.usage(db, 'first')).toEqual({ instances: 0, cores: 0, ram: 0 });
  });
});

describe('a list', () => {
  it('reads servers in pages without losing or doubling any', async () => {
    const ids = new Set<string>();
    for (let index = 0; index < 25; index += 1) ids.add(await add({ projectId: 'paged', name: `n${index % 3}` }));
    for (const sorts of [
      [],
      [{ key: 'display_name', direction: 'asc' as const }],
      [{ key: 'host', direction: 'desc' as const }],
    ]) {
      const seen: string[] = [];
      for (let marker: string | undefined; ; marker = seen.at(-1)) {
        const where = [{ filter: 'projectId' as const, value: 'paged' }];
        const rows = await listServers(db, { where, sorts, deleted: 'no', limit: 7, marker });
        seen.push(...rows.slice(0, 7).map(({ id }) => id));
        if (rows.length <= 7) break;
      }
      expect(new Set(seen)).toEqual(ids);
      expect(seen).toHaveLength(25);
    }
  });

  it('refuses an expression that is none', async () => {
    const where = [{ filter: 'name' as const, value: '(' }];
    await expect(listServers(db, { where, sorts: [], deleted: 'no', limit: 1 })).rejects.toMatchObject({
      kind: 'invalid',
    });
  });
});

it('keeps deleted servers in a table of the same columns, for lists read both as one', async () => {
  const columns = (table: string) =>
    db.query(
      `select column_name, data_type from information_schema.columns where table_name = $1 order by ordinal_position`,
      [table],
    );
  expect(await columns('deleted_server')).toEqual(await columns('server'));
});
