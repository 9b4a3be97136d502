/**
 * Taking a server off the shelf. One that is on no node claims one anew, and its ports are bound there; one that still has
 * its place is started there. Either way the node makes its disk from the image it lies in. The image is deleted afterwards, by a
 * task of its own, so that the server is free as soon as it runs. Where it can not be done it lies on the shelf as before;
 * what turns the task round once the server runs changes nothing any more, for whoever deletes it clears all of it away.
 */
import type { Tx } from '#libs/platform/db';
import { defineFlow, insertTask, Owed, Permanent, type StepContext } from '#libs/platform/flow';
import {
  hasEncryptedDisk,
  IMAGE_DISCARD,
  imageKey,
  type KeptPorts,
  offShelf,
  POWER,
  SERVER_UNSHELVE,
  type Server,
  type ServerUnshelveInput,
} from '#services/compute/domain';
import { aim } from './aim.js';
import { claimNode, type Placed } from './claim.js';
import type { FlowDeps } from './deps.js';
import { SHELVED_POWER } from './export.js';
import { bindPorts, unbindPorts } from './ports.js';
import type { Target } from './pursuit.js';
import { releaseClaim } from './release.js';
import { watchReturn } from './return.js';

type Ctx = StepContext<ServerUnshelveInput>;

/** With the download of its image. */
const BOOT_LIMIT_MS = 15 * 60_000;

const isPlaced = ({ input }: { readonly input: ServerUnshelveInput }): boolean => input.place === null;

export const serverUnshelveFlow = (deps: FlowDeps) =>
  defineFlow<ServerUnshelveInput>({
    kind: SERVER_UNSHELVE,
    exhausted: 'undo',
    steps: [
      { name: 'back', undoTx: (tx, ctx) => unlessOver(ctx, () => giveUp(deps, tx, ctx)) },
      {
        name: 'claim',
        skip: isPlaced,
        ensure: (ctx) => claimNode(deps, { ...ctx, input: ctx.input.place! }, []),
        undoEnsure: (ctx) => unlessOver(ctx, () => releaseClaim(deps, ctx)),
      },
      {
        name: 'ports',
        skip: isPlaced,
        ensure: (ctx) => bindPorts(deps.network, ctx, ctx.input.place!.nics, ctx.out<Placed>('claim')!.node),
        undoEnsure: (ctx) => unlessOver(ctx, () => clearAndUnbind(deps, ctx)),
      },
      { name: 'off', skip: (task) => !isPlaced(task), undoEnsure: (ctx) => watchReturn(deps, ctx) },
      {
        name: 'aim',
        tx: (tx, ctx) => aimAt(deps, tx, ctx),
        undoTx: (tx, ctx) => unlessOver(ctx, () => takeBack(deps, tx, ctx)),
      },
      { name: 'boot', deadlineMs: BOOT_LIMIT_MS, ensure: (ctx) => boot(deps, ctx) },
      { name: 'settle', tx: (tx, ctx) => settle(deps, tx, ctx) },
    ],
  });

const unlessOver = async (ctx: Ctx, undo: () => Promise<void>): Promise<void> =>
  ctx.out('settle') === undefined ? undo() : undefined;

async function aimAt(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<Target> {
  const { serverId } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  if (server?.taskState !== 'unshelving') throw overtaken();
  const node = ctx.input.place ? await settleDown(deps, tx, ctx) : server.host!;
  await deps.servers.patch(tx, serverId, { newDisk: true }, ctx.now);
  await deps.servers.devices.renew(tx, serverId, ctx.input.renewals ?? {}, hasEncryptedDisk(server));
  const { fence, n: seq } = ctx.next();
  const { generation } = server;
  return aim(deps, tx, { serverId, node, power: 'running', generation, fence, seq }, ctx.now);
}

/** Writes down where the server is from now on. */
async function settleDown(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<string> {
  const at = ctx.out<Placed>('claim')!;
  const { addresses, securityGroups } = ctx.out<KeptPorts>('ports')!;
  const zone = await deps.nodes.zoneOf(tx, at.node);
  const place = { host: at.node, hypervisorId: at.providerId, addresses, securityGroups };
  const patch = { ...place, ...(zone === undefined ? {} : { availabilityZone: zone }) };
  await deps.servers.patch(tx, ctx.input.serverId, patch, ctx.now);
  return at.node;
}

const overtaken = (): Permanent => new Permanent('The server is being deleted.', { kind: 'conflict' });

async function boot(deps: FlowDeps, ctx: Ctx): Promise<void> {
  const target = ctx.out<Target>('aim')!;
  const end = await deps.pursuit.look(target, ctx.now);
  if (end.state === 'done') return;
  const why = end.state === 'away' ? 'went down while it was starting the server' : end.why;
  throw new Permanent(`The server could not be unshelved: ${target.node}: ${why}`, { kind: 'conflict' });
}

async function settle(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<object> {
  const { serverId, imageId, discardTaskId } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  if (!server) throw overtaken();
  const patch = { powerState: POWER.running, fault: null, diskMade: true, systemMetadata: offShelf(server) } as const;
  if (!(await deps.servers.move(tx, serverId, 'unshelved', ctx.now, patch))) throw overtaken();
  const { requestId, userId } = ctx;
  const { projectId } = server;
  const who = { projectId, userId, requestId };
  const input = { imageId, owner: projectId };
  await insertTask(tx, { id: discardTaskId, kind: IMAGE_DISCARD, key: imageKey(imageId), ...who, input });
  return {};
}

/** One that had no node is cleared off the one it was to go to; the other stays off. */
async function takeBack(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  const { serverId, place } = ctx.input;
  const { fence, n: seq } = ctx.next();
  if (place) return deps.aims.clearAway(tx, serverId, { fence, seq }, ctx.now);
  const server = await deps.servers.lock(tx, serverId);
  if (!server?.host || server.taskState !== 'unshelving') return undefined;
  const { host: node, generation } = server;
  await aim(deps, tx, { serverId, node, power: 'stopped', generation, fence, seq }, ctx.now);
  return undefined;
}

/** A node that is down is no reason to keep the ports bound to it. */
async function clearAndUnbind(deps: FlowDeps, ctx: Ctx): Promise<void> {
  let owed: Owed | undefined;
  try {
    await deps.pursuit.clear(ctx.input.serverId, ctx.now);
  } catch (error) {
    if (!(error instanceof Owed)) throw error;
    owed = error;
  }
  await unbindPorts(deps.network, ctx);
  if (owed) throw owed;
}

/** The last of undo. */
async function giveUp(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  const { serverId, place } = ctx.input;
  const message = ctx.failure?.message ?? 'The server could not be unshelved.';
  const fault: Server['fault'] = { code: 500, message, details: '', created: ctx.now.toISOString() };
  const nowhere = place ? { host: null, hypervisorId: null } : {};
  const back = place ? 'unplacedGivenUp' : 'unshelveGivenUp';
  await deps.servers.move(tx, serverId, back, ctx.now, { fault, powerState: SHELVED_POWER, ...nowhere });
  if (place) await deps.aims.forgetCleared(tx, serverId);
}
