/**
 * Making a server: claim a node, make the ports, tell the node, watch it boot, activate. A boot that fails goes to another
 * node, three in all; each try is a group of steps with its number, skipped unless the one before has failed.
 *
 * Undo clears every node first, then the ports, then the claim. Nothing is released in placement before the nodes have
 * confirmed that nothing is left; towards a node that is down both become debts. At the end the server stands in ERROR
 * with its fault, unless a delete has turned the task round: then it waits for that delete as it is.
 */
import { defineFlow, Owed, Permanent, type Step, type StepContext } from '#libs/platform/flow';
import { type KeptPorts, POWER, SERVER_CREATE, type ServerCreateInput } from '#services/compute/domain';
import { aim } from './aim.js';
import { claimNode, type FailedTry, noValidHost, type Placed } from './claim.js';
import type { FlowDeps } from './deps.js';
import { ensurePorts, movePorts } from './ports.js';
import type { Target } from './pursuit.js';
import { releaseClaim, releasePorts } from './release.js';

type Ctx = StepContext<ServerCreateInput>;
type CreateStep = Step<ServerCreateInput>;
/** How a boot ended, as its step records it. */
type Booted = { readonly booted: true } | { readonly booted: false; readonly node: string; readonly why: string };
interface Outs {
  out<T>(step: string): T | undefined;
}

/** The nodes that are tried. */
const TRIES = 3;
/** From the first command to the guest's start, with the download of its image. */
const BOOT_LIMIT_MS = 15 * 60_000;

/** The first try's steps bear no number. */
const named = (step: string, attempt: number): string => (attempt === 1 ? step : `${step}-${attempt}`);

export const serverCreateFlow = (deps: FlowDeps) =>
  defineFlow<ServerCreateInput>({
    kind: SERVER_CREATE,
    exhausted: 'undo',
    steps: [
      { name: 'fault', undoTx: (tx, ctx) => failServer(deps, tx, ctx) },
      {
        name: 'claim',
        ensure: (ctx) => claimNode(deps, ctx, []),
        undoEnsure: (ctx) => releaseClaim(deps, ctx),
      },
      {
        name: 'ports',
        ensure: (ctx) => ensurePorts(deps.network, ctx, ctx.out<Placed>('claim')!),
        undoEnsure: (ctx) => clearAndReleasePorts(deps, ctx),
      },
      ...bootSteps(deps, 1),
      ...Array.from({ length: TRIES - 1 }, (_, index) => alternateSteps(deps, index + 2)).flat(),
      {
        name: 'activate',
        tx: (tx, ctx) => activate(deps, tx, ctx),
        undoTx: (tx, ctx) => deps.servers.move(tx, ctx.input.serverId, 'deactivated', ctx.now),
      },
    ],
  });

/** Telling the node what it is to hold, and watching. Undo of the telling clears all nodes. */
function bootSteps(deps: FlowDeps, attempt: number): CreateStep[] {
  const skip = skipUnlessFailedBefore(attempt);
  const claim = named('claim', attempt);
  return [
    {
      name: named('aim', attempt),
      skip,
      tx: (tx, ctx) => aimAt(deps, tx, ctx, ctx.out<Placed>(claim)!, ctx.out<KeptPorts>(named('ports', attempt))!),
      undoTx: (tx, ctx) => clearAway(deps, tx, ctx),
    },
    {
      name: named('boot', attempt),
      skip,
      ensure: (ctx) => boot(deps, ctx, ctx.out<Target>(named('aim', attempt))!),
    },
  ];
}

/** Away from the node that failed, and on to the next one. */
function alternateSteps(deps: FlowDeps, attempt: number): CreateStep[] {
  const skip = skipUnlessFailedBefore(attempt);
  return [
    { name: named('retreat', attempt), skip, tx: (tx, ctx) => retreat(deps, tx, ctx) },
    { name: named('clear', attempt), skip, ensure: (ctx) => deps.pursuit.clear(ctx.input.serverId, ctx.now) },
    { name: named('claim', attempt), skip, ensure: (ctx) => claimNode(deps, ctx, failedTries(ctx)) },
    {
      name: named('ports', attempt),
      skip,
      ensure: (ctx) => movePorts(deps.network, ctx, ctx.out<Placed>(named('claim', attempt))!),
    },
    ...bootSteps(deps, attempt),
  ];
}

const skipUnlessFailedBefore = (attempt: number) => (task: Outs) =>
  attempt > 1 && task.out<Booted>(named('boot', attempt - 1))?.booted !== false;

function failedTries(task: Outs): FailedTry[] {
  const attempts = Array.from({ length: TRIES }, (_, index) => index + 1);
  return attempts.flatMap((attempt) => {
    const placed = task.out<Placed>(named('claim', attempt));
    const end = task.out<Booted>(named('boot', attempt));
    return placed && end && !end.booted ? [{ ...placed, why: end.why }] : [];
  });
}

type Tx = Parameters<NonNullable<CreateStep['tx']>>[0];

/** Commits what the node will fetch; from here on it may hold something of the server. */
async function aimAt(deps: FlowDeps, tx: Tx, ctx: Ctx, at: Placed, ports: KeptPorts): Promise<Target> {
  const { serverId } = ctx.input;
  const { fence, n: seq } = ctx.next();
  const zone = await deps.nodes.zoneOf(tx, at.node);
  const moved = await deps.servers.move(tx, serverId, 'networked', ctx.now, {
    host: at.node,
    hypervisorId: at.providerId,
    addresses: ports.addresses,
    securityGroups: ports.securityGroups,
    ...(zone === undefined ? {} : { availabilityZone: zone }),
  });
  if (!moved) throw overtaken();
  return aim(
    deps,
    tx,
    { serverId, node: at.node, power: 'running', generation: moved.generation, fence, seq },
    ctx.now,
  );
}

/** A delete is on its way: it has the server now. */
const overtaken = (): Permanent => new Permanent('The server is being deleted.', { kind: 'conflict' });

async function boot(deps: FlowDeps, ctx: Ctx, target: Target): Promise<Booted> {
  if (ctx.now.getTime() - ctx.since.getTime() > BOOT_LIMIT_MS)
    return bootFailed(deps, ctx, target, `did not start the server within ${BOOT_LIMIT_MS / 60_000} minutes`);
  const end = await deps.pursuit.look(target, ctx.now);
  if (end.state === 'done') return { booted: true };
  return bootFailed(deps, ctx, target, end.state === 'away' ? 'went down while it was starting the server' : end.why);
}

/** The node attracts less for a while. */
async function bootFailed(deps: FlowDeps, ctx: Ctx, { node }: Target, why: string): Promise<Booted> {
  await deps.pulses.failed(deps.db, node, ctx.now);
  return { booted: false, node, why };
}

async function retreat(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  await clearAway(deps, tx, ctx);
  const moved = await deps.servers.move(tx, ctx.input.serverId, 'rescheduled', ctx.now, {
    host: null,
    hypervisorId: null,
  });
  if (!moved) throw overtaken();
}

async function activate(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  const tries = failedTries(ctx);
  if (tries.length === TRIES) throw noValidHost(tries, '');
  // The node's row before the server's, as all do that write both.
  const at = ctx.out<Placed>(named('claim', tries.length + 1));
  if (at) await deps.pulses.built(tx, at.node);
  const moved = await deps.servers.move(tx, ctx.input.serverId, 'activated', ctx.now, {
    powerState: POWER.running,
    launchedAt: ctx.now,
    diskMade: true,
    forgetBootSecrets: true,
  });
  if (!moved) throw overtaken();
  if (tries.length) await deps.aims.forgetCleared(tx, ctx.input.serverId);
}

async function clearAway(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  const { fence, n: seq } = ctx.next();
  await deps.aims.clearAway(tx, ctx.input.serverId, { fence, seq }, ctx.now);
}

/** The guest goes first, then its ports. A node that is down is no reason to hold the ports back. */
async function clearAndReleasePorts(deps: FlowDeps, ctx: Ctx): Promise<void> {
  let owed: Owed | undefined;
  try {
    await deps.pursuit.clear(ctx.input.serverId, ctx.now);
  } catch (error) {
    if (!(error instanceof Owed)) throw error;
    owed = error;
  }
  await releasePorts(deps, ctx);
  if (owed) throw owed;
}

/** The last of undo: what the tenant sees of it. */
async function failServer(deps: FlowDeps, tx: Tx, ctx: Ctx): Promise<void> {
  const { serverId } = ctx.input;
  const message = ctx.failure?.message ?? 'The server could not be made.';
  await deps.servers.move(tx, serverId, 'failed', ctx.now, {
    host: null,
    hypervisorId: null,
    addresses: [],
    powerState: POWER.none,
    forgetBootSecrets: true,
    fault: { code: 500, message, details: '', created: ctx.now.toISOString() },
  });
  await deps.aims.forgetCleared(tx, serverId);
}
