/**
 * Taking a shelved server off its node: the guest and its disk go, the ports stay and are bound to no node, the claim goes
 * last. Its image is whole by then, so from the moment when the node has cleared it there is no way back: what turns the
 * task round after that ends with the server off its node all the same.
 *
 * A node that is down does not hold it up: what it still has to do, and the claim that stands for it, become debts.
 */
import type { Tx } from '#libs/platform/db';
import { Permanent, type Step, type StepContext } from '#libs/platform/flow';
import { aim } from './aim.js';
import type { FlowDeps } from './deps.js';
import { SHELVED_POWER } from './export.js';
import { unbindPorts } from './ports.js';
import { releaseClaim } from './release.js';
import { watchReturn } from './return.js';

interface Input {
  readonly serverId: string;
}
type Ctx = StepContext<Input>;
type Skip<I> = NonNullable<Step<I>['skip']>;

/** `begin`: also makes the move that an operation makes where a tenant asks. */
export function offloadSteps<I extends Input>(
  deps: FlowDeps,
  { begin, skip }: { readonly begin: boolean; readonly skip?: Skip<I> },
): Step<I>[] {
  const perhaps = skip ? { skip } : {};
  return [
    { name: 'off', ...perhaps, undoEnsure: (ctx) => watchReturn(deps, ctx) },
    {
      name: 'leave',
      ...perhaps,
      tx: (tx, ctx) => leave(deps, tx, ctx, begin),
      undoTx: (tx, ctx) => (isCleared(ctx) ? offloaded(deps, tx, ctx) : stay(deps, tx, ctx)),
    },
    { name: 'clear', ...perhaps, ensure: (ctx) => clear(deps, ctx) },
    {
      name: 'unbind',
      ...perhaps,
      ensure: (ctx) => unbindPorts(deps.network, ctx),
      undoEnsure: async (ctx) => {
        if (isCleared(ctx)) await unbindPorts(deps.network, ctx);
      },
    },
    {
      name: 'claim',
      ...perhaps,
      ensure: (ctx) => releaseClaim(deps, ctx),
      undoEnsure: async (ctx) => {
        if (isCleared(ctx)) await releaseClaim(deps, ctx);
      },
    },
    {
      name: 'offloaded',
      ...perhaps,
      tx: async (tx, ctx) => {
        if (!(await offloaded(deps, tx, ctx)))
          throw new Permanent('The server is being deleted.', { kind: 'conflict' });
      },
    },
  ];
}

const isCleared = (ctx: Ctx): boolean => ctx.out('clear') !== undefined;

async function leave(deps: FlowDeps, tx: Tx, ctx: Ctx, begin: boolean): Promise<object> {
  const { serverId } = ctx.input;
  if (begin && !(await deps.servers.move(tx, serverId, 'shelveOffload', ctx.now)))
    throw new Permanent('The server is being deleted.', { kind: 'conflict' });
  const { fence, n: seq } = ctx.next();
  await deps.aims.clearAway(tx, serverId, { fence, seq }, ctx.now);
  return {};
}

async function clear(deps: FlowDeps, ctx: Ctx): Promise<object> {
  await deps.pursuit.clear(ctx.input.serverId, ctx.now);
  return {};
}

/** The guest stays where it is, off, in case the node has not begun; where it has, the disk is made from the image again. */
async function stay(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  const { serverId } = ctx.input;
  const moved = await deps.servers.move(tx, serverId, 'offloadGivenUp', ctx.now);
  const server = await deps.servers.lock(tx, serverId);
  if (!moved || !server?.host || ctx.out('leave') === undefined) return;
  const { fence, n: seq } = ctx.next();
  const { host: node, generation } = server;
  await aim(deps, tx, { serverId, node, power: 'stopped', generation, fence, seq }, ctx.now);
}

async function offloaded(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<boolean> {
  const { serverId } = ctx.input;
  const patch = { host: null, hypervisorId: null, powerState: SHELVED_POWER };
  const moved = await deps.servers.move(tx, serverId, 'offloaded', ctx.now, patch);
  if (moved) await deps.aims.forgetCleared(tx, serverId);
  return moved !== undefined;
}
