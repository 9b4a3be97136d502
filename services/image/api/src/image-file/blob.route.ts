/** `GET /blobs/:id`: bytes for nodes, by signature alone. Every refusal looks the same. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Clock, isFailure } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import type { Access, Grant, ImageFiles, ImageRepo, SignedUrls, StoredImage } from '#services/image/data';
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

async function allowed(parts: BlobParts, id: string, query: Query): Promise<StoredImage | undefined> {
  if (!grantOf(parts, 'read', id, query)) return undefined;
  const image = await parts.images.get(id, undefined).catch((error: unknown) => {
    if (isFailure(error, 'notFound')) return undefined;
    throw error;
  });
  return image?.status === 'active' ? image : undefined;
}

/** The grant that the query proves, or undefined. */
export function grantOf(
  { urls, clock }: Pick<BlobParts, 'urls' | 'clock'>,
  access: Access,
  id: string,
  query: Query,
): Grant | undefined {
  const { node, exp, sig } = query;
  if (typeof node !== 'string' || typeof exp !== 'string' || typeof sig !== 'string' || !/^\d{1,15}$/.test(exp)) return;
  const grant: Grant = { access, imageId: id, node, expiresAtMs: Number(exp) };
  return urls.allows(grant, sig, clock.now().getTime()) ? grant : undefined;
}
