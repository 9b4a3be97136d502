/**
 * What all operations on a server that stays where it is have in common: write the desired state, tell the node, watch,
 * and write down what came of it. Where it can not be done the server is as it was, or in ERROR where nobody can say that
 * any more.
 */

import type { Tx } from '#libs/platform/db';
import { defineFlow, type Flow, Permanent, type Step, type StepContext } from '#libs/platform/flow';
import type { ServerPatch } from '#services/compute/data';
import {
  allows,
  type DesiredPower,
  hasEncryptedDisk,
  type MoveName,
  POWER,
  type Renewals,
  type Server,
  type ServerPowerInput,
  type ServerReport,
} from '#services/compute/domain';
import { aim } from './aim.js';
import type { FlowDeps } from './deps.js';
import type { Target } from './pursuit.js';

export interface PowerPlan<I extends ServerPowerInput = ServerPowerInput> {
  readonly kind: string;
  readonly power: Chosen<Exclude<DesiredPower, 'absent'>, I>;
  /** The move at the end. */
  readonly done: Chosen<MoveName, I>;
  /** Steps before the node is told. */
  readonly before?: readonly Step<I>[];
  /** What is written together with the desired state, and at the end. */
  aimed?(input: I): ServerPatch;
  settled?(input: I): ServerPatch;
  /** Disks that begin anew with the desired state. */
  renewals?(input: I): Renewals | undefined;
  /** The move back, given the server and what its node said of the guest last; `broken` where there is no way back. */
  back(server: Server, power: ReportedPower): MoveName;
  /** How long the node may take. */
  readonly limitMs: number;
  /** For the tenant: `could not be started`. */
  readonly failed: string;
}

/** The same for all tasks of a kind, or by the task's input. */
type Chosen<T extends string, I> = T | ((input: I) => T);
const chosen = <T extends string, I>(choice: Chosen<T, I>, input: I): T =>
  typeof choice === 'function' ? choice(input) : choice;

export type ReportedPower = ServerReport['power'] | undefined;
type Ctx<I> = StepContext<I>;

export function powerFlow<I extends ServerPowerInput>(deps: FlowDeps, plan: PowerPlan<I>): Flow<I> {
  return defineFlow<I>({
    kind: plan.kind,
    exhausted: 'undo',
    steps: [
      ...(plan.before ?? []),
      {
        name: 'aim',
        tx: (tx, ctx) => aimAt(deps, plan, tx, ctx),
        undoTx: (tx, ctx) => giveUp(deps, plan, tx, ctx),
      },
      {
        name: 'act',
        deadlineMs: plan.limitMs,
        ensure: async (ctx) => {
          const end = await deps.pursuit.look(ctx.out<Target>('aim')!, ctx.now);
          if (end.state === 'away')
            throw new Permanent(`The server ${plan.failed}: its node does not answer.`, { kind: 'unavailable' });
          if (end.state === 'failed')
            throw new Permanent(`The server ${plan.failed}: ${end.why}`, { kind: 'conflict' });
        },
      },
      { name: 'settle', tx: (tx, ctx) => settle(deps, plan, tx, ctx) },
    ],
  });
}

async function aimAt<I extends ServerPowerInput>(
  deps: FlowDeps,
  plan: PowerPlan<I>,
  tx: Tx,
  ctx: Ctx<I>,
): Promise<Target> {
  const { serverId, generation } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  if (!server?.host) throw new Permanent(`The server ${plan.failed}: it is on no node.`, { kind: 'conflict' });
  if (plan.aimed) await deps.servers.patch(tx, serverId, plan.aimed(ctx.input), ctx.now);
  const renewals = plan.renewals?.(ctx.input);
  if (renewals) await deps.servers.devices.renew(tx, serverId, renewals, hasEncryptedDisk(server));
  const { fence, n: seq } = ctx.next();
  const power = chosen(plan.power, ctx.input);
  return aim(deps, tx, { serverId, node: server.host, power, generation, fence, seq }, ctx.now);
}

async function settle<I extends ServerPowerInput>(
  deps: FlowDeps,
  plan: PowerPlan<I>,
  tx: Tx,
  ctx: Ctx<I>,
): Promise<void> {
  const server = await deps.servers.lock(tx, ctx.input.serverId);
  if (server && isLaterReboot(server, ctx.input)) return;
  const power = chosen(plan.power, ctx.input);
  // A guest that runs has its disk.
  const running: ServerPatch = power === 'running' ? { fault: null, diskMade: true } : {};
  const patch: ServerPatch = { powerState: POWER[power], ...running, ...plan.settled?.(ctx.input) };
  const moved = await deps.servers.move(tx, ctx.input.serverId, chosen(plan.done, ctx.input), ctx.now, patch);
  if (!moved) throw new Permanent('The server is being deleted.', { kind: 'conflict' });
}

/** A hard reboot follows, and the server's states are its own. */
const isLaterReboot = (server: Server, { generation }: ServerPowerInput): boolean =>
  server.taskState === 'rebooting_hard' && server.generation > generation;

/** Where a delete or a hard reboot has taken the server over, no move applies and nothing is changed. */
async function giveUp<I extends ServerPowerInput>(
  deps: FlowDeps,
  plan: PowerPlan<I>,
  tx: Tx,
  ctx: Ctx<I>,
): Promise<void> {
  const { serverId } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  if (!server || isLaterReboot(server, ctx.input)) return;
  const report = server.host ? await deps.reports.latest(tx, serverId, server.host) : undefined;
  const message = ctx.failure?.message ?? `The server ${plan.failed}.`;
  const back = plan.back(server, report?.power);
  const moved = await deps.servers.move(tx, serverId, allows(back, server) ? back : 'broken', ctx.now, {
    fault: { code: 500, message, details: '', created: ctx.now.toISOString() },
    powerState: report && report.power !== 'absent' ? POWER[report.power] : POWER.stopped,
  });
  if (!moved || !server.host || !ctx.out<Target>('aim')) return;
  const { fence, n: seq } = ctx.next();
  const power = stays(report?.power);
  await aim(deps, tx, { serverId, node: server.host, power, generation: moved.generation, fence, seq }, ctx.now);
}

/** From now on the node is to keep the guest as it is. */
function stays(power: ReportedPower): Exclude<DesiredPower, 'absent'> {
  return power === 'running' || power === 'paused' || power === 'suspended' ? power : 'stopped';
}

/** The way back by how the guest stands; one that is off by now is stopped, and anything else is broken. */
export const standing =
  (ways: Partial<Record<NonNullable<ReportedPower>, MoveName>>) =>
  (_server: Server, power: ReportedPower): MoveName =>
    (power && ways[power]) ?? (power === 'stopped' ? 'foundStopped' : 'broken');
