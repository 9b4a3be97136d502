/**
 * The end of a resize. Both ways lead forward only: what a node has forgotten or gone back to can not be had again, so the
 * books follow even where the node does not answer, and the claim shrinks as soon as nothing of the larger shape can run.
 */
import { defineFlow, Owed, type StepContext } from '#libs/platform/flow';
import type { ServerPatch } from '#services/compute/data';
import { POWER, SERVER_CONFIRM_RESIZE, SERVER_REVERT_RESIZE, type ServerResizedInput } from '#services/compute/domain';
import { aim } from './aim.js';
import { type Awaited, awaited, shrinkClaim } from './awaited.js';
import type { FlowDeps } from './deps.js';
import type { Target } from './pursuit.js';
import { become, powerOf } from './server-resize.flow.js';

type Ctx = StepContext<ServerResizedInput>;
type Tx = Parameters<FlowDeps['servers']['lock']>[0];
type Power = 'running' | 'stopped';
type Aimed = Target & { readonly power: Power };

/** A node that is slow to forget what it kept does so by itself; nobody has to wait for it. */
const FORGET_LIMIT_MS = 20_000;
const REVERT_LIMIT_MS = 15 * 60_000;

export const serverConfirmResizeFlow = (deps: FlowDeps) =>
  defineFlow<ServerResizedInput>({
    kind: SERVER_CONFIRM_RESIZE,
    cancellable: false,
    steps: [
      {
        name: 'aim',
        tx: async (tx, ctx) => {
          const { serverId, resize } = ctx.input;
          const server = await deps.servers.lock(tx, serverId);
          const report = server?.host ? await deps.reports.latest(tx, serverId, server.host) : undefined;
          // A guest that has shut itself down meanwhile is left so; one that was lost with its node is started.
          const isOff = report?.event && (report.power === 'stopped' || report.power === 'crashed');
          return aimAt(deps, tx, ctx, isOff ? 'stopped' : powerOf(resize), { undo: '' });
        },
      },
      { name: 'act', ensure: (ctx) => awaited(deps, ctx, ctx.out<Aimed>('aim')!, FORGET_LIMIT_MS) },
      { name: 'claim', ensure: (ctx) => shrinkClaim(deps, ctx, ctx.input.resize.to) },
      {
        name: 'settle',
        tx: async (tx, ctx) => {
          const { power } = ctx.out<Aimed>('aim')!;
          const move = power === 'running' ? 'confirmed' : 'confirmedStopped';
          const patch: ServerPatch = { resize: null, fault: null, powerState: POWER[power] };
          await deps.servers.moveAndFree(tx, ctx.input.serverId, move, ctx.now, patch);
          await deps.servers.devices.settle(tx, ctx.input.serverId);
        },
      },
    ],
  });

export const serverRevertResizeFlow = (deps: FlowDeps) =>
  defineFlow<ServerResizedInput>({
    kind: SERVER_REVERT_RESIZE,
    cancellable: false,
    steps: [
      {
        name: 'aim',
        tx: async (tx, ctx) => {
          const { resize } = ctx.input;
          await deps.servers.devices.become(tx, ctx.input.serverId, 'from');
          return aimAt(deps, tx, ctx, powerOf(resize), { ...become(resize.from), undo: 'restore' });
        },
      },
      { name: 'act', ensure: (ctx) => awaited(deps, ctx, ctx.out<Aimed>('aim')!, REVERT_LIMIT_MS) },
      { name: 'claim', ensure: (ctx) => giveBack(deps, ctx) },
      { name: 'settle', tx: (tx, ctx) => settleReverted(deps, tx, ctx) },
    ],
  });

async function aimAt(deps: FlowDeps, tx: Tx, ctx: Ctx, power: Power, patch: ServerPatch): Promise<Aimed> {
  const { serverId, generation } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  if (!server?.host) throw new Error(`server ${serverId} is resized and on no node`);
  await deps.servers.patch(tx, serverId, patch, ctx.now);
  const { fence, n: seq } = ctx.next();
  const target = await aim(deps, tx, { serverId, node: server.host, power, generation, fence, seq }, ctx.now);
  return { ...target, power };
}

/** As long as its node is down the guest may have the larger shape there. */
async function giveBack(deps: FlowDeps, ctx: Ctx): Promise<void> {
  const { node } = ctx.out<Aimed>('aim')!;
  const at = await deps.aims.aim(deps.db, ctx.input.serverId, node);
  if (at?.nodeState === 'down') throw new Owed(node, `node ${node} is down`);
  await shrinkClaim(deps, ctx, ctx.input.resize.from);
}

async function settleReverted(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  const { serverId } = ctx.input;
  const { power } = ctx.out<Aimed>('aim')!;
  await deps.servers.devices.settle(tx, serverId);
  const end = ctx.out<Awaited>('act')!;
  if (end.state === 'done') {
    const move = power === 'running' ? 'reverted' : 'revertedStopped';
    const patch: ServerPatch = { resize: null, undo: '', fault: null, powerState: POWER[power] };
    await deps.servers.moveAndFree(tx, serverId, move, ctx.now, patch);
    return;
  }
  const why = end.state === 'failed' ? end.why : 'its node does not answer.';
  const message = `The resize of the server could not be reverted: ${why}`;
  const fault = { code: 500, message, details: '', created: ctx.now.toISOString() };
  await deps.servers.moveAndFree(tx, serverId, 'broken', ctx.now, { resize: null, fault });
}
