import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { insertTask } from '#libs/platform/flow';
import { SERVER_ATTACH_INTERFACE, SERVER_DETACH_INTERFACE, serverKey } from '#services/compute/domain';
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
