/** Resizes as the api asks for them, and what is to be found of them. */
import { randomUUID } from 'node:crypto';
import type { NewTask } from '#libs/platform/flow';
import {
  type FlavorSnapshot,
  resizedDevices,
  SERVER_CONFIRM_RESIZE,
  SERVER_RESIZE,
  SERVER_REVERT_RESIZE,
  type ServerResizedInput,
  type ServerResizeInput,
  serverKey,
} from '#services/compute/domain';
import type { Testbed } from './testbed.fixture.js';

/** Of new servers. */
const WAS_SWAP = 64;
export const BIGGER = { id: '9', name: 'm1.big', vcpus: 2, memoryMb: 1024, diskGb: 3, ephemeralGb: 2, swapMb: 128 };

const taskOf = <I>(kind: string, serverId: string, input: I): NewTask<I> => ({
  ...{ id: randomUUID(), kind, key: serverKey(serverId), projectId: 'p1', userId: 'u1', input },
});

/** The row, the quota and the task of a resize; the task is not inserted. */
export async function askResize(
  bed: Testbed,
  serverId: string,
  change: Partial<FlavorSnapshot> = BIGGER,
  more: Partial<ServerResizeInput> = {},
): Promise<NewTask<ServerResizeInput>> {
  return bed.db.tx(async (tx) => {
    const { flavor, vmState } = (await bed.servers.lock(tx, serverId))!;
    const to = { ...flavor, ...change };
    const resize = { from: flavor, to, vmState: vmState === 'stopped' ? 'stopped' : 'active', at: null } as const;
    const moved = (await bed.servers.moveAndFree(tx, serverId, 'resize', bed.now(), { resize }))!;
    const devices = await bed.servers.devices.of(tx, serverId);
    await bed.servers.devices.plan(tx, serverId, resizedDevices(devices, resize.from, resize.to, false, randomUUID));
    const { generation } = moved;
    const input = { serverId, generation, resize, requiredTraits: [], forbiddenTraits: [], ...more };
    return taskOf(SERVER_RESIZE, serverId, input);
  });
}

export async function askDecision(
  bed: Testbed,
  serverId: string,
  decision: 'confirmResize' | 'revertResize',
): Promise<NewTask<ServerResizedInput>> {
  const kind = decision === 'confirmResize' ? SERVER_CONFIRM_RESIZE : SERVER_REVERT_RESIZE;
  const { resize } = (await bed.server(serverId))!;
  const { generation } = (await bed.servers.move(bed.db, serverId, decision, bed.now()))!;
  return taskOf(kind, serverId, { serverId, generation, resize: resize! });
}

/** What is wrong about a server that should have that memory and disk, in the books and on its node. */
export async function misshapen(
  bed: Testbed,
  serverId: string,
  shape: { readonly memoryMb: number; readonly diskGb: number; readonly claimMb?: number; readonly kept?: boolean },
): Promise<string[]> {
  const server = (await bed.server(serverId))!;
  const held = bed.nodes.get(server.host!)!.held.get(serverId)!;
  const claim = bed.placement.memoryOf(serverId);
  const { ephemeralGb, swapMb } = server.flavor;
  const local = [`ephemeral:${ephemeralGb * 1024}`, `swap:${swapMb}`].join();
  const rows = await bed.servers.devices.of(bed.db, serverId);
  const booked = rows.flatMap(({ kind, sizeMb }) => (kind === 'root' ? [] : [`${kind}:${sizeMb}`]));
  const found: [string, unknown, unknown][] = [
    ['its other disks are', held.shape?.local.join(), local],
    ['its books say', booked.join(), local],
    ['of its other disks lie on the node', held.files.size, shape.kept && swapMb !== WAS_SWAP ? 3 : 2],
    ['disks have two sizes', rows.some(({ toMb }) => toMb !== null), shape.kept ?? false],
    ['its flavor has MB', server.flavor.memoryMb, shape.memoryMb],
    ['its guest has MB', held.shape?.memoryMb, shape.memoryMb],
    ['its disk has GB', held.shape?.diskGb, shape.diskGb],
    ['its claim has MB', claim, shape.claimMb ?? shape.memoryMb],
    ['its node keeps a state', held.kept !== undefined, shape.kept ?? false],
    ['projects miscounted', (await bed.repos.standings.recount(bed.db)).length, 0],
    ['its task', server.taskState, null],
  ];
  return found.filter(([, is, should]) => is !== should).map(([what, is, should]) => `${what}: ${is}, not ${should}`);
}
