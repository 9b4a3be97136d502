/**
 * Copying a server's disk into an image: the image is registered, the node is told, and watched until the bytes are in the
 * image service. Where it can not be done the server is as it was and the image is deleted. The copy is part of the
 * desired state, so whatever is desired next ends it on the node.
 */
import type { Tx } from '#libs/platform/db';
import { Permanent, type Step, type StepContext } from '#libs/platform/flow';
import {
  type DesiredPower,
  type MoveName,
  POWER,
  type Server,
  type ServerImageInput,
  SNAPSHOT_FORMAT,
} from '#services/compute/domain';
import { aim } from './aim.js';
import type { FlowDeps } from './deps.js';
import { orFinal } from './final.js';
import type { Target } from './pursuit.js';
import { watchReturn } from './return.js';

export interface ExportPlan {
  /** What the guest is to be while it is copied. */
  power(server: Server): Exclude<DesiredPower, 'absent'>;
  /** The move back. */
  readonly back: MoveName;
  /** The step with whose record the image is wanted whatever happens. */
  readonly keptAfter: string;
  /** For the tenant: `could not be shelved`. */
  readonly failed: string;
}

type Ctx<I> = StepContext<I>;

/** From the first command to the last byte. */
const EXPORT_LIMIT_MS = 3_600_000;

export function exportSteps<I extends ServerImageInput>(deps: FlowDeps, plan: ExportPlan): Step<I>[] {
  return [
    {
      name: 'image',
      ensure: (ctx) => register(deps, ctx),
      undoEnsure: (ctx) => discardUnlessKept(deps, plan, ctx),
    },
    { name: 'return', undoEnsure: (ctx) => watchReturn(deps, ctx) },
    {
      name: 'aim',
      tx: (tx, ctx) => aimAt(deps, plan, tx, ctx),
      undoTx: (tx, ctx) => giveUp(deps, plan, tx, ctx),
    },
    {
      name: 'export',
      deadlineMs: EXPORT_LIMIT_MS,
      ensure: async (ctx) => {
        const end = await deps.pursuit.look(ctx.out<Target>('aim')!, ctx.now);
        if (end.state === 'away')
          throw new Permanent(`The server ${plan.failed}: its node does not answer.`, { kind: 'unavailable' });
        if (end.state === 'failed') throw new Permanent(`The server ${plan.failed}: ${end.why}`, { kind: 'conflict' });
      },
    },
  ];
}

async function register<I extends ServerImageInput>({ images }: FlowDeps, ctx: Ctx<I>): Promise<void> {
  const { imageId, owner, name, minDiskGb, minRamMb, properties } = ctx.input.image;
  const request = { imageId, owner, name, minDiskGb, minRamMb, properties: { ...properties } };
  await orFinal(images.register({ ...request, diskFormat: SNAPSHOT_FORMAT }));
}

async function discardUnlessKept<I extends ServerImageInput>(
  { images }: FlowDeps,
  { keptAfter }: ExportPlan,
  ctx: Ctx<I>,
): Promise<void> {
  if (ctx.out(keptAfter) !== undefined) return;
  const { imageId, owner } = ctx.input.image;
  await images.discard({ imageId, owner });
}

async function aimAt<I extends ServerImageInput>(
  deps: FlowDeps,
  plan: ExportPlan,
  tx: Tx,
  ctx: Ctx<I>,
): Promise<Target> {
  const { serverId, image } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  if (!server?.host) throw new Permanent(`The server ${plan.failed}: it is on no node.`, { kind: 'conflict' });
  const { fence, n: seq } = ctx.next();
  const { generation, host: node } = server;
  const power = plan.power(server);
  return aim(deps, tx, { serverId, node, power, generation, fence, seq, exportImageId: image.imageId }, ctx.now);
}

/** Where the server has come to its new state already, or a delete has taken it over, nothing is changed. */
async function giveUp<I extends ServerImageInput>(
  deps: FlowDeps,
  plan: ExportPlan,
  tx: Tx,
  ctx: Ctx<I>,
): Promise<void> {
  const { serverId } = ctx.input;
  const moved = await deps.servers.move(tx, serverId, plan.back, ctx.now);
  const server = await deps.servers.lock(tx, serverId);
  if (!moved || !server?.host || server.power === 'absent' || !ctx.out<Target>('aim')) return;
  const { fence, n: seq } = ctx.next();
  const { host: node, power, generation } = server;
  await aim(deps, tx, { serverId, node, power, generation, fence, seq }, ctx.now);
}

/** The end of a copy after which the server is what it was. */
export async function settleImaged(deps: FlowDeps, tx: Tx, ctx: Ctx<ServerImageInput>): Promise<object> {
  const moved = await deps.servers.move(tx, ctx.input.serverId, 'imaged', ctx.now);
  if (!moved) throw new Permanent('The server is being deleted.', { kind: 'conflict' });
  return {};
}

/** As it is to stay. */
export const asItIs = ({ power }: Server): Exclude<DesiredPower, 'absent'> => (power === 'absent' ? 'stopped' : power);

/** How a server on the shelf shows its power. */
export const SHELVED_POWER = POWER.stopped;
