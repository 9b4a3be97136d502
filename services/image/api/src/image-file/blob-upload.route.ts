/**
 * `PUT /blobs/:id`: the bytes of an image from a node, by signature alone. A refused signature says nothing; a node that
 * bears a good one is told why its bytes are not taken. Bytes that are there already are as good as taken: the node may
 * have died before it heard so.
 */
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isFailure } from '#libs/kernel';
import { type BlobParts, grantOf } from './blob.route.js';
import { drain } from './image-file.handlers.js';
import type { ImageUploads } from './image-upload.js';

export interface BlobUploadParts extends BlobParts {
  readonly receiver: ImageUploads;
}

interface Outcome {
  readonly status: number;
  readonly message?: string;
}

const STATUSES: Readonly<Record<string, number>> = {
  invalid: 400,
  notFound: 410,
  gone: 410,
  conflict: 409,
  tooLarge: 413,
  overQuota: 413,
  unsupportedMedia: 415,
  unavailable: 503,
};

export function addBlobUploadRoute(fastify: FastifyInstance, parts: BlobUploadParts): void {
  fastify.put<{ Params: { id: string }; Querystring: Readonly<Record<string, unknown>> }>(
    '/blobs/:id',
    async (request, reply) => {
      const { status, message } = await taken(parts, request.params.id, request);
      if (status !== 204) drain(request.raw);
      return reply.code(status).send(message === undefined ? undefined : { message });
    },
  );
}

async function taken(parts: BlobUploadParts, id: string, request: FastifyRequest): Promise<Outcome> {
  const query = request.query as Readonly<Record<string, unknown>>;
  if (!grantOf(parts, 'write', id, query)) return { status: 403 };
  const stream = request.body as Readable | undefined;
  if (typeof stream?.pipe !== 'function') return { status: 400, message: 'Image data is needed.' };
  const length = request.headers['content-length'];
  try {
    const image = await parts.images.get(id, undefined);
    if (image.status === 'active') return { status: 200 };
    await parts.receiver.receive(image, stream, length === undefined ? undefined : Number(length));
    return { status: 204 };
  } catch (error) {
    const status = isFailure(error) ? STATUSES[error.kind] : undefined;
    if (!isFailure(error) || status === undefined) throw error;
    return { status, message: error.message };
  }
}
