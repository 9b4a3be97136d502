/**
 * Shelving a server: a guest that runs is switched off, its disk becomes an image, and, where the cloud is so configured, it
 * leaves its node at once. Quota, ports and addresses stay. A guest that stands still already is switched off only once
 * the image is whole: until then it can go on as it was.
 */
import type { Tx } from '#libs/platform/db';
import { defineFlow, Permanent, type StepContext } from '#libs/platform/flow';
import { ontoShelf, SERVER_SHELVE, type Server, type ServerImageInput } from '#services/compute/domain';
import { aim } from './aim.js';
import type { FlowDeps } from './deps.js';
import { exportSteps, SHELVED_POWER } from './export.js';
import { offloadSteps } from './offload.js';
import type { Target } from './pursuit.js';

interface Shelved {
  readonly offload: boolean;
  /** Where it stays on its node and is still to be switched off. */
  readonly halt?: Target;
}

export const serverShelveFlow = (deps: FlowDeps) =>
  defineFlow<ServerImageInput>({
    kind: SERVER_SHELVE,
    exhausted: 'undo',
    steps: [
      ...exportSteps<ServerImageInput>(deps, {
        power: standing,
        back: 'shelveGivenUp',
        keptAfter: 'settle',
        failed: 'could not be shelved',
      }),
      { name: 'settle', tx: (tx, ctx) => settle(deps, tx, ctx) },
      {
        name: 'halt',
        skip: (task) => !task.out<Shelved>('settle')?.halt,
        ensure: (ctx) => deps.pursuit.look(ctx.out<Shelved>('settle')!.halt!, ctx.now),
      },
      ...offloadSteps<ServerImageInput>(deps, {
        begin: true,
        skip: (task) => !task.out<Shelved>('settle')?.offload,
      }),
    ],
  });

const standing = ({ power }: Server) => (power === 'suspended' || power === 'paused' ? power : 'stopped');

async function settle(deps: FlowDeps, tx: Tx, ctx: StepContext<ServerImageInput>): Promise<Shelved> {
  const { serverId, image } = ctx.input;
  const server = await deps.servers.lock(tx, serverId);
  const systemMetadata = server && ontoShelf(server, { imageId: image.imageId, at: ctx.now });
  const patch = { powerState: SHELVED_POWER, ...(systemMetadata ? { systemMetadata } : {}) };
  if (!(await deps.servers.move(tx, serverId, 'shelved', ctx.now, patch)))
    throw new Permanent('The server is being deleted.', { kind: 'conflict' });
  const offload = deps.shelvedOffloadS === 0;
  if (offload || !server?.host || standing(server) === 'stopped') return { offload };
  const { fence, n: seq } = ctx.next();
  const { host: node, generation } = server;
  return {
    offload,
    halt: await aim(deps, tx, { serverId, node, power: 'stopped', generation, fence, seq }, ctx.now),
  };
}
