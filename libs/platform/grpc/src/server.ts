/**
 * gRPC between our own processes: mutual TLS always, the peer's certificate name decides what it may call, the request
 * id travels in metadata, and thrown Failures become statuses.
 */
import { readFileSync } from 'node:fs';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { fail, isRequestId, newRequestId, runInContext } from '#libs/kernel';
import type { TlsFiles } from '#libs/platform/config';
import type { Log } from '#libs/platform/log';
import { toStatus } from './errors.js';
import { sent } from './sent.js';

export interface Peer {
  /** CN of the caller's certificate: a service, `cli`, or a node. */
  readonly name: string;
  readonly requestId: string;
}

/** A unary method: the request and who asks; returns the reply or throws a Failure. */
export type Unary<Request, Reply> = (request: Request, peer: Peer) => Promise<Reply> | Reply;
/** A server stream: emit until the signal aborts (the peer left) or return to end it. */
export type Streaming<Request, Event> = (
  request: Request,
  peer: Peer,
  emit: (event: Event) => void,
  signal: AbortSignal,
) => Promise<void>;

/**
 * Messages both ways: read the caller's as they come, send ours; returning ends the call. `send` resolves when the caller
 * takes more; the signal aborts when the caller has left.
 */
export type Conversing<Request, Event> = (
  requests: AsyncIterable<Request>,
  peer: Peer,
  send: (event: Event) => Promise<void>,
  signal: AbortSignal,
) => Promise<void>;

/** What one of our classes must offer for a generated service definition. */
export type Implementation<D> = {
  [M in keyof D]: D[M] extends {
    requestDeserialize: (b: Buffer) => infer Q;
    responseDeserialize: (b: Buffer) => infer R;
    requestStream: infer A;
    responseStream: infer S;
  }
    ? A extends true
      ? Conversing<Q, R>
      : S extends true
        ? Streaming<Q, R>
        : Unary<Q, R>
    : never;
};

export interface Binding {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

export interface GrpcServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles;
  readonly log: Log;
}

/** Says whether the named peer may call the service; `node` stands for any agent certificate (CN starts with `node:`). */
export type Allow = (peer: string) => boolean;

/** Binds our implementation to a generated definition, guarded by the peer's name. */
export function bind<D extends ServiceDefinition>(
  definition: D,
  implementation: Implementation<D>,
  allow: Allow,
  log: Log,
): Binding {
  const methods: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(definition)) {
    const body = (implementation as Record<string, unknown>)[name];
    if (typeof body !== 'function') throw new Error(`no implementation of ${method.path}`);
    const run = body.bind(implementation);
    if (method.requestStream) {
      methods[name] = (call: ServerDuplexStream<unknown, unknown>) => void converse(call, run, allow, log, method.path);
      continue;
    }
    methods[name] = method.responseStream
      ? (call: ServerWritableStream<unknown, unknown>) => void stream(call, run, allow, log, method.path)
      : (call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) =>
          void unary(call, reply, run, allow, log, method.path);
  }
  return { definition, implementation: methods };
}

function peerOf(call: {
  getAuthContext(): { sslPeerCertificate?: { subject: { CN?: string | string[] } } };
  metadata: { get(key: string): unknown[] };
}): Peer {
  const cn = call.getAuthContext().sslPeerCertificate?.subject.CN;
  if (typeof cn !== 'string' || !cn) throw fail.unauthorized('a client certificate is needed');
  const sent = String(call.metadata.get('x-request-id')[0] ?? '');
  return { name: cn, requestId: isRequestId(sent) ? sent : newRequestId() };
}

async function unary(
  call: ServerUnaryCall<unknown, unknown>,
  reply: sendUnaryData<unknown>,
  run: Unary<unknown, unknown>,
  allow: Allow,
  log: Log,
  path: string,
): Promise<void> {
  try {
    const peer = peerOf(call);
    if (!allow(peer.name)) throw fail.forbidden(`${peer.name} may not call ${path}`);
    reply(null, await runInContext({ requestId: peer.requestId }, () => run(call.request, peer)));
  } catch (error) {
    const told = toStatus(error);
    if (told.details === 'internal error') log.error({ err: error, path }, 'gRPC method failed');
    reply(told);
  }
}

type Stream = ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>;

const stream = (
  call: ServerWritableStream<unknown, unknown>,
  run: Streaming<unknown, unknown>,
  allow: Allow,
  log: Log,
  path: string,
): Promise<void> =>
  kept(call, allow, log, path, (peer, gone) => run(call.request, peer, (event) => call.write(event), gone));

const converse = (
  call: ServerDuplexStream<unknown, unknown>,
  run: Conversing<unknown, unknown>,
  allow: Allow,
  log: Log,
  path: string,
): Promise<void> => kept(call, allow, log, path, (peer, gone) => run(call, peer, (event) => sent(call, event), gone));

/** Runs a stream to its end, whoever ends it. */
async function kept(
  call: Stream,
  allow: Allow,
  log: Log,
  path: string,
  run: (peer: Peer, gone: AbortSignal) => Promise<void>,
): Promise<void> {
  const gone = new AbortController();
  for (const name of ['cancelled', 'error', 'close']) call.on(name, () => gone.abort());
  try {
    const peer = peerOf(call);
    if (!allow(peer.name)) throw fail.forbidden(`${peer.name} may not call ${path}`);
    await runInContext({ requestId: peer.requestId }, () => run(peer, gone.signal));
    call.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    log.warn({ err: error, path }, 'gRPC stream failed');
    // grpc-js sends the status of an error that is emitted; a destroyed stream would end without any.
    call.emit('error', Object.assign(new Error('stream failed'), toStatus(error)));
  }
}

/** Serves the bindings; resolves when the port is open. The returned function stops it, letting calls finish. */
export async function serveGrpc(
  options: GrpcServerOptions,
  bindings: readonly Binding[],
): Promise<() => Promise<void>> {
  const server = new Server({ 'grpc.max_receive_message_length': 16 << 20, 'grpc.keepalive_time_ms': 10_000 });
  for (const binding of bindings) server.addService(binding.definition, binding.implementation);
  const { ca, cert, key } = options.tls;
  const credentials = ServerCredentials.createSsl(
    readFileSync(ca),
    [{ cert_chain: readFileSync(cert), private_key: readFileSync(key) }],
    true,
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, credentials, (error) => (error ? reject(error) : resolve()));
  });
  options.log.info({ port: options.port }, 'gRPC listens');
  return () =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        server.forceShutdown();
        resolve();
      }, 2_000);
      server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
}
