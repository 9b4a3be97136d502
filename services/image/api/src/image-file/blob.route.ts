/** `GET /blobs/:id`: bytes for nodes, by signature alone. Every refusal looks the same. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Clock, isFailure } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import type { ImageFiles, ImageRepo, SignedUrls, StoredImage } from '#services/image/data';
import { sendBytes } from './image-file.handlers.js';

export interface BlobParts {
  readonly images: ImageRepo;
  readonly files: ImageFiles;
  readonly urls: SignedUrls;
  readonly clock: Clock;
}

type Query = Readonly<Record<string, unknown>>;

export function addBlobRoute(fastify: FastifyInstance, parts: BlobParts): void {
  fastify.get<{ Params: { id: string }; Querystring: Query }>('/blobs/:id', async (request, reply) => {
    const image = await allowed(parts, request.params.id, request.query);
    if (!image) return reply.code(403).send();
    const answer = await sendBytes(parts.files, image, request).catch((error: unknown) => {
      if (isFailure(error, 'unavailable')) return { status: 503 };
      throw error;
    });
    return deliver(reply, answer);
  });
}

function deliver(reply: FastifyReply, answer: Reply): FastifyReply {
  return reply
    .code(answer.status ?? 200)
    .headers(answer.headers ?? {})
    .send(answer.body);
}

async function allowed({ images, urls, clock }: BlobParts, id: string, query: Query): Promise<StoredImage | undefined> {
  const { node, exp, sig } = query;
  if (typeof node !== 'string' || typeof exp !== 'string' || typeof sig !== 'string' || !/^\d{1,15}$/.test(exp)) return;
  const grant = { imageId: id, node, expiresAtMs: Number(exp) };
  if (!urls.allows(grant, sig, clock.now().getTime())) return;
  const image = await images.get(id, undefined).catch((error: unknown) => {
    if (isFailure(error, 'notFound')) return undefined;
    throw error;
  });
  return image?.status === 'active' ? image : undefined;
}
