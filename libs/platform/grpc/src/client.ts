/** Typed promise clients over mutual TLS, with a deadline on every call and the request id in metadata. */
import { readFileSync } from 'node:fs';
import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials as grpcCredentials,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { currentContext } from '#libs/kernel';
import type { TlsFiles } from '#libs/platform/config';
import { fromStatus } from './errors.js';
import { sent } from './sent.js';

export interface CallOptions {
  /** Milliseconds until the call fails as `unavailable`; 5,000 unless told. */
  readonly deadlineMs?: number;
}

/** A call with messages both ways. */
export interface Conversation<Request, Event> {
  /** What the other side sends; ends with its end, throws its Failure. */
  readonly events: AsyncIterable<Event>;
  /** Resolves when the other side takes more, or has left. */
  send(request: Request): Promise<void>;
  /** Leaves at once. */
  cancel(): void;
}

/** One promise method for each unary method of a generated definition, one callback method for each stream. */
export type Remote<D> = {
  [M in keyof D]: D[M] extends {
    requestSerialize: (q: infer Q) => Buffer;
    responseDeserialize: (b: Buffer) => infer R;
    requestStream: infer A;
    responseStream: infer S;
  }
    ? A extends true
      ? () => Conversation<Q, R>
      : S extends true
        ? (request: Q, onEvent: (event: R) => void, signal: AbortSignal) => Promise<void>
        : (request: Q, options?: CallOptions) => Promise<R>
    : never;
} & { close(): void };

const CHANNEL = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.max_receive_message_length': 16 << 20,
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
};

/**
 * Connects lazily to one of the addresses (`host:port`), balancing over them.
 * The server's certificate must carry `serverName`, the peer service's name.
 */
export function connectGrpc<D extends ServiceDefinition>(
  definition: D,
  addresses: readonly string[],
  serverName: string,
  tls: TlsFiles,
): Remote<D> {
  if (!addresses.length) throw new Error(`no address of ${serverName} is configured`);
  const secure = grpcCredentials.createSsl(readFileSync(tls.ca), readFileSync(tls.key), readFileSync(tls.cert));
  const target = addresses.length === 1 ? addresses[0]! : `ipv4:${addresses.join(',')}`;
  const client = new Client(target, secure, {
    ...CHANNEL,
    'grpc.ssl_target_name_override': serverName,
    'grpc.default_authority': serverName,
  });
  const remote: Record<string, unknown> = { close: () => client.close() };
  for (const [name, method] of Object.entries(definition)) {
    if (method.requestStream) remote[name] = conversationOf(client, method);
    else remote[name] = method.responseStream ? streamOf(client, method) : unaryOf(client, method);
  }
  return remote as Remote<D>;
}

function metadataOfContext(): Metadata {
  const metadata = new Metadata();
  const context = currentContext();
  if (context) metadata.set('x-request-id', context.requestId);
  return metadata;
}

function unaryOf(client: Client, method: MethodDefinition<unknown, unknown>) {
  return (request: unknown, options: CallOptions = {}) =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + (options.deadlineMs ?? 5_000);
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadataOfContext(),
        { deadline },
        (error: ServiceError | null, reply?: unknown) =>
          error ? reject(fromStatus(error, method.path)) : resolve(reply),
      );
    });
}

function streamOf(client: Client, method: MethodDefinition<unknown, unknown>) {
  return (request: unknown, onEvent: (event: unknown) => void, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const call: ClientReadableStream<unknown> = client.makeServerStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadataOfContext(),
      );
      const stop = () => call.cancel();
      signal.addEventListener('abort', stop, { once: true });
      call.on('data', onEvent);
      call.on('end', () => resolve());
      call.on('error', (error: ServiceError) => {
        signal.removeEventListener('abort', stop);
        if (signal.aborted) resolve();
        else reject(fromStatus(error, method.path));
      });
    });
}

function conversationOf(client: Client, method: MethodDefinition<unknown, unknown>) {
  return (): Conversation<unknown, unknown> => {
    const call: ClientDuplexStream<unknown, unknown> = client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      metadataOfContext(),
    );
    call.on('error', () => undefined); // told to whoever reads the events
    return {
      events: eventsOf(call, method.path),
      send: (request) => sent(call, request),
      cancel: () => call.cancel(),
    };
  };
}

async function* eventsOf(call: ClientDuplexStream<unknown, unknown>, path: string): AsyncGenerator<unknown> {
  try {
    for await (const event of call) yield event;
  } catch (error) {
    throw fromStatus(error as ServiceError, path);
  }
}
