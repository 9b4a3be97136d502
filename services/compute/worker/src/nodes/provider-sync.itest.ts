/** Many nodes at once, as after a restart of compute: placement hears of all of them over a small pool. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { placementV1 } from '#libs/contract';
import { randomIds, systemClock } from '#libs/kernel';
import { type Db, openDb } from '#libs/platform/db';
import { flowMigrations } from '#libs/platform/flow';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { AggregateRepo, computeMigrations, NodeRepo, NodeStateRepo, OPEN } from '#services/compute/data';
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
      ...{ cpuInfo: {}, traits: [], availabilityZone: 'nova' },
    };
    await nodes.enrol(db, enrolment, systemClock.now());
    await db.tx((tx) => states.up(tx, name, systemClock.now()));
  }
  const placement = new FakePlacement();
  const now = () => systemClock.now();
  const providers = new ProviderSync({
    db,
    nodes,
    states,
    aggregates: new AggregateRepo(),
    placement,
    options: OPTIONS,
    now,
  });
  await Promise.all(names.map((name) => providers.sync(name)));
  expect(placement.providers.size).toBe(names.length);
  expect((await states.list(db)).map((node) => node.told)).toEqual(names.map(() => OPEN));
});

it('lets placement forget a node that an operator took away, once, and not one that came back', async () => {
  const nodes = new NodeRepo();
  const states = new NodeStateRepo();
  const placement = new FakePlacement();
  const now = () => systemClock.now();
  const providers = new ProviderSync({
    db,
    nodes,
    states,
    aggregates: new AggregateRepo(),
    placement,
    options: OPTIONS,
    now,
  });
  const enrolment = {
    ...{ name: 'leaving', hypervisorId: randomIds.uuid(), hypervisorType: 'fake', hypervisorVersion: 1, accel: '' },
    ...{ accelReason: '', vcpus: 8, memoryMb: 8192, diskGb: 100, address: '', agentGrpc: '', agentVersion: '' },
    ...{ cpuInfo: {}, traits: [], availabilityZone: 'nova' },
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

it('tells placement of what the aggregates of a node say, and no longer once it has left them', async () => {
  const [nodes, states, aggregates, placement] = [
    new NodeRepo(),
    new NodeStateRepo(),
    new AggregateRepo(),
    new FakePlacement(),
  ];
  const now = () => systemClock.now();
  const told: placementV1.EnsureProviderRequest[] = [];
  const spy = {
    ...{ removeProvider: placement.removeProvider, claim: placement.claim, release: placement.release },
    tellPulses: placement.tellPulses,
    ensureProvider: async (request: placementV1.EnsureProviderRequest) => {
      told.push(request);
      return placement.ensureProvider(request);
    },
  };
  const providers = new ProviderSync({ db, nodes, states, aggregates, placement: spy, options: OPTIONS, now });
  const name = 'grouped';
  await nodes.enrol(
    db,
    {
      ...{ name, hypervisorId: randomIds.uuid(), hypervisorType: 'QEMU', hypervisorVersion: 1, accel: 'tcg' },
      ...{ accelReason: '', vcpus: 8, memoryMb: 8192, diskGb: 100, address: '', agentGrpc: '', agentVersion: '' },
      ...{ cpuInfo: { arch: 'x86_64' }, traits: ['COMPUTE_SECURITY_TPM_2_0'], availabilityZone: 'nova' },
    },
    now(),
  );
  const metadata = { cpu_allocation_ratio: '2', availability_zone: 'far', ssd: 'true' };
  const fresh = { id: randomIds.uuid(), name: 'a', metadata, createdAt: now() };
  const aggregate = await db.tx((tx) => aggregates.insert(tx, fresh));
  await db.tx(async (tx) => {
    await aggregates.addHost(tx, aggregate.number, name);
    await aggregates.rezone(tx, [name]);
  });
  await providers.sync(name);
  await db.tx(async (tx) => {
    await aggregates.removeHost(tx, aggregate.number, name);
    await aggregates.rezone(tx, [name]);
  });
  await providers.sync(name);
  const ratio = (request: placementV1.EnsureProviderRequest | undefined) =>
    request?.inventories.find(({ resourceClass }) => resourceClass === 'VCPU')?.allocationRatio;
  const [inside, outside] = told;
  expect(inside).toMatchObject({ availabilityZone: 'far', aggregates: [fresh.id], attributes: { arch: 'x86_64' } });
  expect([ratio(inside), inside?.labels['ssd']]).toEqual([2, { values: ['true'] }]);
  expect(outside).toMatchObject({ availabilityZone: 'nova', aggregates: [], labels: {} });
  expect(ratio(outside)).toBe(16);
});
