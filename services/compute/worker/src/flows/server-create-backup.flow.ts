/** A backup among those of its kind: once it is whole, the oldest ones beyond the number that is kept are deleted. */
import { defineFlow } from '#libs/platform/flow';
import { SERVER_CREATE_BACKUP, type ServerBackupInput } from '#services/compute/domain';
import type { FlowDeps } from './deps.js';
import { asItIs, exportSteps, settleImaged } from './export.js';

export const serverCreateBackupFlow = (deps: FlowDeps) =>
  defineFlow<ServerBackupInput>({
    kind: SERVER_CREATE_BACKUP,
    exhausted: 'undo',
    steps: [
      ...exportSteps<ServerBackupInput>(deps, {
        power: asItIs,
        back: 'imageGivenUp',
        keptAfter: 'export',
        failed: 'could not be backed up',
      }),
      {
        name: 'rotate',
        ensure: async ({ input: { serverId, image, backupType, rotation } }) => {
          await deps.images.rotate({ owner: image.owner, serverId, backupType, keep: rotation });
        },
      },
      { name: 'settle', tx: (tx, ctx) => settleImaged(deps, tx, ctx) },
    ],
  });
