/**
 * Giving a server another flavor on its node. The claim grows to the larger of both first; then the node shuts the guest
 * down, keeps its disks as they are, grows the root disk and starts it in its new shape. From then on the server waits for
 * its owner to confirm or to revert.
 *
 * Turning round after the node was told, the node goes back to what it kept, and only when it has (or owes it) does the
 * claim shrink: the server is as it was, with the reason as its fault.
 */
import { defineFlow, Owed, Permanent, type StepContext } from '#libs/platform/flow';
import type { ServerPatch } from '#services/compute/data';
import {
  type FlavorSnapshot,
  largerUnits,
  POWER,
  SERVER_RESIZE,
  type Server,
  type ServerResizeInput,
  sizeOf,
  unitsOf,
} from '#services/compute/domain';
import { aim } from './aim.js';
import { awaited, shrinkClaim } from './awaited.js';
import { claimInPlace } from './claim.js';
import type { FlowDeps } from './deps.js';
import type { Target } from './pursuit.js';

type Ctx = StepContext<ServerResizeInput>;
type Tx = Parameters<FlowDeps['servers']['lock']>[0];

const LIMIT_MS = 15 * 60_000;
const BACK_LIMIT_MS = 5 * 60_000;

export const serverResizeFlow = (deps: FlowDeps) =>
  defineFlow<ServerResizeInput>({
    kind: SERVER_RESIZE,
    exhausted: 'undo',
    steps: [
      { name: 'begin', undoTx: (tx, ctx) => giveUp(deps, tx, ctx) },
      {
        name: 'claim',
        ensure: (ctx) => claimInPlace(deps.placement, ctx, wanted(ctx.input)),
        undoEnsure: (ctx) => giveBack(deps, ctx),
      },
      { name: 'restored', undoEnsure: (ctx) => awaitRestored(deps, ctx) },
      {
        name: 'aim',
        tx: (tx, ctx) => aimAt(deps, tx, ctx),
        undoTx: (tx, ctx) => aimBack(deps, tx, ctx),
      },
      {
        name: 'act',
        deadlineMs: LIMIT_MS,
        ensure: async (ctx) => {
          const end = await deps.pursuit.look(ctx.out<Target>('aim')!, ctx.now);
          if (end.state === 'away')
            throw new Permanent('The server could not be resized: its node does not answer.', { kind: 'unavailable' });
          if (end.state === 'failed')
            throw new Permanent(`The server could not be resized: ${end.why}`, { kind: 'conflict' });
        },
      },
      { name: 'settle', tx: (tx, ctx) => settle(deps, tx, ctx) },
    ],
  });

function wanted(input: ServerResizeInput) {
  const { resize, imageProperties = {} } = input;
  const resources = largerUnits(unitsOf(resize.from, imageProperties), unitsOf(resize.to, imageProperties));
  return { ...input, size: sizeOf(resize.to), resources };
}

export const powerOf = ({ vmState }: ServerResizeInput['resize']) => (vmState === 'active' ? 'running' : 'stopped');
/** What makes the server one of that flavor. */
export const become = (flavor: FlavorSnapshot): ServerPatch => ({ flavor, flavorId: flavor.id });

const overtaken = (): Permanent => new Permanent('The server is being deleted.', { kind: 'conflict' });
/** False where a delete has taken the server over: then nothing is changed any more. */
const isOurs = (server: Server | undefined): server is Server & { readonly host: string } =>
  server?.host != null &&
  (server.taskState === 'resize_prep' || (server.vmState === 'resized' && server.taskState === null));

async function aimAt(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<Target> {
  const { serverId, generation, resize } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  if (!isOurs(server)) throw overtaken();
  await deps.servers.patch(tx, serverId, { ...become(resize.to), undo: 'keep', newUndo: true }, ctx.now);
  await deps.servers.devices.become(tx, serverId, 'to');
  const { fence, n: seq } = ctx.next();
  return aim(deps, tx, { serverId, node: server.host, power: powerOf(resize), generation, fence, seq }, ctx.now);
}

async function settle(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  const { serverId, resize } = ctx.input;
  const running: ServerPatch = resize.vmState === 'active' ? { fault: null, diskMade: true } : {};
  const moved = await deps.servers.move(tx, serverId, 'resized', ctx.now, {
    ...running,
    powerState: POWER[powerOf(resize)],
    resize: { ...resize, at: ctx.now.toISOString() },
  });
  if (!moved) throw overtaken();
}

async function aimBack(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  const { serverId, generation, resize } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  if (!ctx.out<Target>('aim') || !isOurs(server)) return;
  await deps.servers.patch(tx, serverId, { ...become(resize.from), undo: 'restore' }, ctx.now);
  await deps.servers.devices.become(tx, serverId, 'from');
  const { fence, n: seq } = ctx.next();
  await aim(deps, tx, { serverId, node: server.host, power: powerOf(resize), generation, fence, seq }, ctx.now);
}

async function awaitRestored(deps: FlowDeps, ctx: Ctx): Promise<void> {
  const server = await deps.servers.find(deps.db, ctx.input.serverId);
  if (!isOurs(server) || server.undo !== 'restore' || !ctx.out<Target>('aim')) return;
  const target = await deps.aims.find(deps.db, server.id, server.host);
  if (target) await awaited(deps, ctx, target, BACK_LIMIT_MS);
}

/** As long as its node is down the guest may have the larger shape there. */
async function giveBack(deps: FlowDeps, ctx: Ctx): Promise<void> {
  const { serverId, resize } = ctx.input;
  const told = ctx.out<Target>('aim');
  const server = await deps.servers.find(deps.db, serverId);
  if (!server || server.taskState === 'deleting') return;
  const at = told && (await deps.aims.aim(deps.db, serverId, told.node));
  if (at?.nodeState === 'down') throw new Owed(at.node, `node ${at.node} is down`);
  await shrinkClaim(deps, ctx, resize.from);
}

async function giveUp(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  const { serverId, resize } = ctx.input;
  const told = ctx.out<Target>('aim');
  const at = told && (await deps.aims.aim(tx, serverId, told.node));
  const isBack = !told || at?.outcome === 'done';
  const report = told && (await deps.reports.latest(tx, serverId, told.node));
  const message = ctx.failure?.message ?? 'The server could not be resized.';
  const power = report && report.power !== 'absent' ? { powerState: POWER[report.power] } : {};
  const back = resize.vmState === 'active' ? 'resizeGivenUp' : 'resizeGivenUpStopped';
  const moved = await deps.servers.moveAndFree(tx, serverId, isBack ? back : 'broken', ctx.now, {
    ...become(resize.from),
    ...power,
    resize: null,
    // What a node did not go back to in time it goes back to when it is told of the server next.
    ...(isBack ? { undo: '' as const } : {}),
    fault: { code: 500, message, details: '', created: ctx.now.toISOString() },
  });
  if (moved) await deps.servers.devices.settle(tx, serverId);
}
