import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomIds } from '#libs/kernel';
import { insertTask } from '#libs/platform/flow';
import { SERVER_ATTACH_INTERFACE, SERVER_DETACH_INTERFACE, serverKey } from '#services/compute/domain';
import { serversService } from '../grpc/servers.grpc.js';
import { LostInterfaces } from '../reconcile/lost-interfaces.js';
import type { FakeNode } from '../testbed/fake-node.fixture.js';
import { Testbed } from '../testbed/testbed.fixture.js';

let bed: Testbed;
let node: FakeNode;
let serverId = '';
beforeEach(async () => {
  bed = await Testbed.open();
  node = await bed.node('node-1', 1 << 20);
  await bed.run();
  serverId = await bed.active();
});
afterEach(() => bed.close());

async function change(kind: string, input: object): Promise<void> {
  const task = { id: randomUUID(), kind, key: serverKey(serverId), projectId: 'p1', input: { serverId, ...input } };
  await bed.db.tx((tx) => insertTask(tx, task));
  await bed.settled(serverId);
}
const attach = (portId: string) =>
  change(SERVER_ATTACH_INTERFACE, {
    nic: { portId, adopt: false, networkId: randomUUID(), fixedIp: '', tag: 'data' },
    securityGroupIds: [],
  });
const rows = async () => {
  const server = (await bed.server(serverId))!;
  return {
    nics: server.nics.map((nic) => nic.portId),
    addresses: server.addresses.map((one) => [one.portId, one.tag]),
  };
};

it('plugs and unplugs an interface on a guest that goes on', async () => {
  const [first] = (await rows()).nics;
  const portId = randomUUID();
  await attach(portId);
  expect(await rows()).toEqual({
    nics: [first, portId],
    addresses: [
      [first, ''],
      [portId, 'data'],
    ],
  });
  expect(bed.guest(serverId)).toMatchObject({ ports: [first, portId], power: 'running' });
  await change(SERVER_DETACH_INTERFACE, { portId });
  expect(await rows()).toEqual({ nics: [first], addresses: [[first, '']] });
  expect(bed.guest(serverId).ports).toEqual([first]);
  expect(bed.network.plugged.get(serverId)?.portIds).toEqual([first]);
});

it('is as before where the node can not plug it, and says why', async () => {
  const [first] = (await rows()).nics;
  node.plugFailure = 'the hypervisor refused: no more PCI slots';
  await attach(randomUUID());
  const task = (await bed.tasksOf(serverId)).at(-1)!;
  expect(task).toMatchObject({ state: 'undone', failureKind: 'conflict' });
  expect(task.failure).toBe('The interface could not be attached: the hypervisor refused: no more PCI slots');
  expect((await rows()).nics).toEqual([first]);
  expect(bed.network.plugged.get(serverId)?.portIds).toEqual([first]);
  expect(await bed.server(serverId)).toMatchObject({ vmState: 'active', taskState: null });
});

it('keeps the interface, and its port, where the guest does not let go of it', async () => {
  const portId = randomUUID();
  await attach(portId);
  node.plugFailure = 'the guest does not let go of the interface';
  await change(SERVER_DETACH_INTERFACE, { portId });
  expect((await bed.tasksOf(serverId)).at(-1)).toMatchObject({ state: 'undone' });
  expect((await rows()).nics).toContain(portId);
  expect(bed.network.plugged.get(serverId)?.portIds).toContain(portId);
});

it('is refused while the node is away, and leaves nothing', async () => {
  const [first] = (await rows()).nics;
  await bed.fallSilent(node);
  await attach(randomUUID());
  expect((await bed.tasksOf(serverId)).at(-1)).toMatchObject({ state: 'undone', failureKind: 'unavailable' });
  expect((await rows()).nics).toEqual([first]);
});

describe('a port that is deleted in the network service', () => {
  const parts = () => {
    const { db, servers, network, log } = bed;
    return { db, servers, network, log, ids: randomIds, now: () => bed.now() };
  };
  const lost = () => new LostInterfaces(parts());
  const tell = () =>
    serversService({ ...parts(), aims: bed.repos.aims }).networkChanged(
      { serverIds: [serverId] },
      { name: 'network', requestId: '' },
    );

  it('is unplugged from the guest, which goes on', async () => {
    const [first] = (await rows()).nics;
    const portId = randomUUID();
    await attach(portId);
    const watch = lost();
    await watch.start();
    bed.network.lose(serverId, portId);
    await tell();
    await bed.until(async () => (await rows()).nics.length === 1);
    await bed.settled(serverId);
    expect(await rows()).toEqual({ nics: [first], addresses: [[first, '']] });
    expect(bed.guest(serverId)).toMatchObject({ ports: [first], power: 'running' });
    await watch.stop();
  });

  it('waits for the operation that is at work, and is found by the scan', async () => {
    const portId = randomUUID();
    await attach(portId);
    bed.network.lose(serverId, portId);
    await bed.servers.move(bed.db, serverId, 'pause', bed.now());
    await tell();
    await lost().scan();
    expect((await rows()).nics).toContain(portId);
    await bed.servers.move(bed.db, serverId, 'resetToActive', bed.now());
    await lost().scan();
    await bed.until(async () => (await rows()).nics.length === 1);
    await bed.settled(serverId);
    expect(bed.guest(serverId).ports).not.toContain(portId);
  });

  it('is left for a while where the guest does not let go of it', async () => {
    const portId = randomUUID();
    await attach(portId);
    bed.network.lose(serverId, portId);
    node.plugFailure = 'the guest does not let go of the interface';
    await tell();
    await lost().scan();
    await bed.settled(serverId);
    const tasks = (await bed.tasksOf(serverId)).length;
    await lost().scan();
    expect(await bed.tasksOf(serverId)).toHaveLength(tasks);
    node.plugFailure = undefined;
    bed.aheadMs += 601_000;
    await lost().scan();
    await bed.settled(serverId);
    expect(bed.guest(serverId).ports).not.toContain(portId);
  });

  it('is taken back into the books where network has it after all', async () => {
    const portId = randomUUID();
    await attach(portId);
    const { addresses } = (await bed.server(serverId))!;
    await bed.servers.patch(bed.db, serverId, { addresses: addresses.slice(0, 1) }, bed.now());
    await lost().scan();
    expect((await rows()).addresses.map(([id]) => id)).toContain(portId);
    expect(bed.guest(serverId).ports).toContain(portId);
    expect((await bed.tasksOf(serverId)).map(({ kind }) => kind)).not.toContain(SERVER_DETACH_INTERFACE);
  });
});
