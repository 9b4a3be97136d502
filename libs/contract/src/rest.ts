/** A service's own API behind mutual TLS, for another service that acts in a caller's name (ADR 0020). */
import { fail } from '#libs/kernel';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import { type PerformReply, type PerformRequest, RestService } from './generated/rest/v1/rest.js';

/** What serves the API in this process: a server that takes requests without a socket, as Fastify does. */
export interface RestServer {
  inject(request: {
    readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    readonly url: string;
    readonly headers: Record<string, string>;
    readonly payload?: string;
  }): Promise<{ readonly statusCode: number; readonly payload: string }>;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

async function perform(server: RestServer, request: PerformRequest, requestId: string): Promise<PerformReply> {
  const method = METHODS.find((known) => known === request.method);
  if (!method || !request.path.startsWith('/')) throw fail.invalid('An operation is a method and a path.');
  const { statusCode, payload } = await server.inject({
    method,
    url: request.path,
    headers: {
      'x-auth-token': request.token,
      'x-openstack-request-id': requestId,
      ...(request.contentType ? { 'content-type': request.contentType } : {}),
      ...(request.ifMatch ? { 'if-match': request.ifMatch } : {}),
    },
    ...(request.contentType ? { payload: request.body } : {}),
  });
  return { status: statusCode, body: payload };
}

/** For compute alone. */
export const restBinding = (server: RestServer, log: Log): Binding =>
  bind(
    RestService,
    { perform: (request, peer) => perform(server, request, peer.requestId) },
    (peer) => peer === 'compute',
    log,
  );
