/**
 * `/v2/images/` is an image whose id is empty, which does not exist; the server otherwise takes a path with a slash at
 * its end for the path without.
 */
import type { FastifyInstance } from 'fastify';
import { fail } from '#libs/kernel';

const EMPTY_ID = /^\/v2\/images\/+(?:\?|$)/;

/** Must be called before the routes are registered. */
export function refuseEmptyIds(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    done(EMPTY_ID.test(request.url) ? fail.notFound('No image has an empty ID.') : undefined);
  });
}
