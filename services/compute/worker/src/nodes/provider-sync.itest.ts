/** Many nodes at once, as after a restart of compute: placement hears of all of them over a small pool. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomIds, systemClock } from '#libs/kernel';
import { type Db, openDb } from '#libs/platform/db';
import { flowMigrations } from '#libs/platform/flow';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { computeMigrations, NodeRepo, NodeStateRepo, OPEN } from '#services/compute/data';
import { FakePlacement } from '../testbed/fake-placement.fixture.js';
import { OPTIONS } from '../testbed/testbed.fixture.js';
import { ProviderSync } from './provider-sync.js';

let scratch: ScratchDatabase;
let db: Db;
beforeAll(async () => {
  scratch = await scratchDatabase([flowMigrations, computeMigrations]);
  db = await openDb({ url: scratch.url, applicationName: 'test', poolSize: 5 });
});
afterAll(async () => {
  await db.close();
  await scratch.drop();
});

it('tells placement of more nodes at once than there are connections', async () => {
  const nodes = new NodeRepo();
  const states = new NodeStateRepo();
  const names = Array.from({ length: 25 }, (_, index) => `node-${index}`);
  for (const name of names) {
    const enrolment = {
      ...{ name, hypervisorId: randomIds.uuid(), hypervisorType: 'fake', hypervisorVersion: 1, accel: '' },
      ...{ accelReason: '', vcpus: 8, memoryMb: 8192, diskGb: 100, address: '', agentGrpc: '', agentVersion: '' },
      ...{ cpuInfo: {}, availabilityZone: 'nova' },
    };
    await nodes.enrol(db, enrolment, systemClock.now());
    await db.tx((tx) => states.up(tx, name, systemClock.now()));
  }
  const placement = new FakePlacement();
  const now = () => systemClock.now();
  const providers = new ProviderSync({ db, nodes, states, placement, options: OPTIONS, now });
  await Promise.all(names.map((name) => providers.sync(name)));
  expect(placement.providers.size).toBe(names.length);
  expect((await states.list(db)).map((node) => node.told)).toEqual(names.map(() => OPEN));
});

it('lets placement forget a node that an operator took away, once, and not one that came back', async () => {
  const nodes = new NodeRepo();
  const states = new NodeStateRepo();
  const placement = new FakePlacement();
  const now = () => systemClock.now();
  const providers = new ProviderSync({ db, nodes, states, placement, options: OPTIONS, now });
  const enrolment = {
    ...{ name: 'leaving', hypervisorId: randomIds.uuid(), hypervisorType: 'fake', hypervisorVersion: 1, accel: '' },
    ...{ accelReason: '', vcpus: 8, memoryMb: 8192, diskGb: 100, address: '', agentGrpc: '', agentVersion: '' },
    ...{ cpuInfo: {}, availabilityZone: 'nova' },
  };
  await nodes.enrol(db, enrolment, now());
  await providers.sync('leaving');
  await db.tx((tx) => nodes.remove(tx, 'leaving', now()));
  placement.away = true;
  await expect(providers.sync('leaving')).rejects.toThrow();
  expect(await nodes.gone(db)).toEqual(['leaving']);
  placement.away = false;
  await providers.sync('leaving');
  expect(placement.providers.size).toBe(0);
  expect(await nodes.gone(db)).toEqual([]);

  await nodes.enrol(db, enrolment, now());
  await providers.sync('leaving');
  await db.tx((tx) => nodes.remove(tx, 'leaving', now()));
  await nodes.enrol(db, enrolment, now());
  await providers.sync('leaving');
  expect(placement.providers.size).toBe(1);
  expect(await nodes.gone(db)).toEqual([]);
});
