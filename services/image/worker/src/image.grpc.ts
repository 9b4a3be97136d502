/** What compute asks of images: what one is, where a node gets its bytes, and the images that servers are made into. */

import { imageV1 } from '#libs/contract';
import { type Clock, fail } from '#libs/kernel';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import type { ImageRepo, SignedUrls } from '#services/image/data';
import { seenByOthers } from '#services/image/domain';
import { describeImage } from './image.description.js';
import { type SnapshotParts, snapshotCalls } from './snapshot.grpc.js';

export interface ImageGrpcParts extends SnapshotParts {
  readonly images: ImageRepo;
  readonly urls: SignedUrls;
  readonly clock: Clock;
  readonly log: Log;
}

const URL_LIFE_MS = 15 * 60_000;
const CALLERS = new Set(['compute', 'cli']);

export function imageBinding(parts: ImageGrpcParts): Binding {
  const { images, urls, clock } = parts;
  const describe = async (request: imageV1.DescribeRequest): Promise<imageV1.Image> => {
    const image = await images.get(request.imageId, request.projectId);
    const mine = request.projectId !== '' && image.owner === request.projectId;
    if (!mine && !request.allProjects && !seenByOthers(image, image.isMember))
      throw fail.notFound(`No image found with ID ${request.imageId}`);
    return describeImage(image);
  };
  const locate = async (request: imageV1.LocateRequest): Promise<imageV1.Location> => {
    const image = await images.get(request.imageId, undefined);
    if (image.status !== 'active') throw fail.conflict(`Image ${image.id} is ${image.status}, not active.`);
    if (!request.node) throw fail.invalid('A node is needed.');
    const expiresAtMs = clock.now().getTime() + URL_LIFE_MS;
    return {
      url: urls.url({ access: 'read', imageId: image.id, node: request.node, expiresAtMs }),
      sha256: image.sha256 ?? '',
      size: image.size ?? 0,
      diskFormat: image.diskFormat ?? '',
      expiresAtMs,
    };
  };
  return bind(
    imageV1.ImagesService,
    { describe, locate, ...snapshotCalls(parts) },
    (peer) => CALLERS.has(peer),
    parts.log,
  );
}
