/** The images that compute makes of servers: registered, filled by the server's node, discarded. */
import type { imageV1 } from '#libs/contract';
import { type Clock, fail } from '#libs/kernel';
import type { Implementation } from '#libs/platform/grpc';
import type { ImageFiles, ImageRepo, SignedUrls, SnapshotRepo, Upload } from '#services/image/data';
import { planCreation, type QuotaLimits } from '#services/image/domain';
import { describeImage } from './image.description.js';

export interface SnapshotParts {
  readonly images: ImageRepo;
  readonly snapshots: SnapshotRepo;
  readonly files: ImageFiles;
  readonly urls: SignedUrls;
  readonly limits: QuotaLimits;
  readonly clock: Clock;
}

/** From the moment when a node is told of it: a large disk is copied before the first byte is sent. */
const UPLOAD_LIFE_MS = 2 * 3_600_000;

type Calls = Pick<Implementation<imageV1.ImagesService>, 'register' | 'admit' | 'discard' | 'rotate'>;

export function snapshotCalls({ images, snapshots, files, urls, limits, clock }: SnapshotParts): Calls {
  const removeFile = async (upload: Upload | undefined): Promise<void> => {
    if (upload?.uploadId) await files.remove(upload);
  };
  return {
    register: async (request) => describeImage(await snapshots.register(newImage(request), limits)),
    admit: async ({ imageId, node }) => {
      const image = await images.get(imageId, undefined);
      if (!node) throw fail.invalid('A node is needed.');
      const expiresAtMs = clock.now().getTime() + UPLOAD_LIFE_MS;
      const waiting = image.status === 'queued' || image.status === 'saving';
      const url = waiting ? urls.url({ access: 'write', imageId: image.id, node, expiresAtMs }) : '';
      return { url, expiresAtMs };
    },
    discard: async ({ imageId, owner }) => {
      await removeFile(await snapshots.discard(imageId, owner));
      return {};
    },
    rotate: async ({ owner, serverId, backupType, keep }) => {
      const deleted = await snapshots.rotate(owner, serverId, backupType, keep);
      for (const upload of deleted) await removeFile(upload);
      return { deletedIds: deleted.map(({ imageId }) => imageId) };
    },
  };
}

/** By the rules for what tenants register: names and properties are theirs. */
const newImage = (request: imageV1.RegisterRequest) =>
  planCreation(
    {
      ...request.properties,
      id: request.imageId,
      name: request.name,
      owner: request.owner,
      disk_format: request.diskFormat,
      container_format: 'bare',
      visibility: 'private',
      min_disk: request.minDiskGb,
      min_ram: request.minRamMb,
    },
    { id: request.imageId, owner: request.owner },
  );
