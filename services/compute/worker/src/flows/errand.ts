/**
 * Something that a node does once with a guest that otherwise stays as it is. It is part of the desired state, so whatever
 * is desired next ends it, and one that could not be done is not done later.
 */
import { GUEST_AGENT_SILENT } from '#libs/contract';
import type { Tx } from '#libs/platform/db';
import { defineFlow, type Flow, Permanent, type StepContext } from '#libs/platform/flow';
import type { ServerPatch } from '#services/compute/data';
import type { Errand, MoveName, Server, ServerErrandInput } from '#services/compute/domain';
import { aim } from './aim.js';
import type { FlowDeps } from './deps.js';
import { asItIs } from './export.js';
import type { Target } from './pursuit.js';

export interface ErrandPlan {
  readonly kind: string;
  readonly errand: Errand;
  /** The moves at the end and back, where the server shows that something is being done. */
  readonly done?: MoveName;
  readonly back?: MoveName;
  /** What is written with either. */
  readonly settled?: (server: Server) => ServerPatch;
  readonly givenUp?: ServerPatch;
  /** The tenant's sentence, by the reason. */
  failed(serverId: string, why: string): string;
  readonly limitMs: number;
}

type Ctx = StepContext<ServerErrandInput>;

export function errandFlow(deps: FlowDeps, plan: ErrandPlan): Flow<ServerErrandInput> {
  return defineFlow<ServerErrandInput>({
    kind: plan.kind,
    exhausted: 'undo',
    steps: [
      {
        name: 'aim',
        tx: (tx, ctx) => aimAt(deps, plan, tx, ctx),
        undoTx: (tx, ctx) => giveUp(deps, plan, tx, ctx),
      },
      { name: 'act', deadlineMs: plan.limitMs, ensure: (ctx) => act(deps, plan, ctx) },
      { name: 'settle', tx: (tx, ctx) => settle(deps, plan, tx, ctx) },
    ],
  });
}

async function aimAt(deps: FlowDeps, plan: ErrandPlan, tx: Tx, ctx: Ctx): Promise<Target> {
  const { serverId } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  if (!server?.host) throw new Permanent(plan.failed(serverId, 'it is on no node'), { kind: 'conflict' });
  const { fence, n: seq } = ctx.next();
  const { generation, host: node } = server;
  return aim(deps, tx, { serverId, node, power: asItIs(server), generation, fence, seq, errand: plan.errand }, ctx.now);
}

async function act(deps: FlowDeps, plan: ErrandPlan, ctx: Ctx): Promise<void> {
  const { serverId } = ctx.input;
  const end = await deps.pursuit.look(ctx.out<Target>('aim')!, ctx.now);
  if (end.state === 'away')
    throw new Permanent(plan.failed(serverId, 'its node does not answer'), { kind: 'unavailable' });
  if (end.state !== 'failed') return;
  const kind = end.why === GUEST_AGENT_SILENT ? 'notImplemented' : 'conflict';
  throw new Permanent(plan.failed(serverId, end.why), { kind });
}

async function settle(deps: FlowDeps, plan: ErrandPlan, tx: Tx, ctx: Ctx): Promise<void> {
  if (!plan.done) return;
  const { serverId } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  const patch = server ? plan.settled?.(server) : undefined;
  const moved = await deps.servers.move(tx, serverId, plan.done, ctx.now, patch);
  if (!moved) throw new Permanent('The server is being deleted.', { kind: 'conflict' });
}

/** Where a delete has taken the server over, no move applies. */
async function giveUp(deps: FlowDeps, plan: ErrandPlan, tx: Tx, ctx: Ctx): Promise<void> {
  const { serverId } = ctx.input;
  if (plan.givenUp) await deps.servers.patch(tx, serverId, plan.givenUp, ctx.now);
  if (plan.back) await deps.servers.move(tx, serverId, plan.back, ctx.now);
  const server = await deps.servers.lock(tx, serverId);
  if (!server?.host || server.power === 'absent' || !ctx.out<Target>('aim')) return;
  const { fence, n: seq } = ctx.next();
  const { host: node, power, generation } = server;
  await aim(deps, tx, { serverId, node, power, generation, fence, seq }, ctx.now);
}
