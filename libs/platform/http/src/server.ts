/** The Fastify server that Nest runs on, with our parsers, limits, health and metrics, and the registrar's routes. */
import type { Type as Class, DynamicModule, INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { fail } from '#libs/kernel';
import { Histogram, type Log, metrics } from '#libs/platform/log';
import type { HandlerClass } from './op.js';
import { Registrar, type RegistrarOptions } from './registrar.js';

/** Each part of the process: true when it works. Any false answers 503. */
export type Health = () => Promise<Record<string, boolean>> | Record<string, boolean>;

export interface HttpOptions extends Omit<RegistrarOptions, 'handlerOf'> {
  readonly host: string;
  readonly port: number;
  readonly health: Health;
  /** The URL as rows know it, where clients may write it in another way. */
  rewriteUrl?(url: string): string;
  /** Routes that are no operations of the API (signed downloads). */
  extra?(fastify: FastifyInstance, app: INestApplicationContext): void;
}

/** An escaped surrogate, the backslash itself not escaped. JSON.stringify writes one only where its other half is missing. */
const ESCAPED_SURROGATE = /(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]/;
const BODY_LIMIT = 1 << 20;

/** Nest installs handlers of its own for unknown routes and errors; the registrar's must stand instead. */
class Adapter extends FastifyAdapter {
  override setNotFoundHandler(): never {
    return this as never;
  }
  override setErrorHandler(): never {
    return this as never;
  }
}

const duration = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time to answer, by route and status',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
  registers: [metrics],
});

/** Builds the Nest application of the module and serves the rows. Stop it with `app.close()`. */
export async function serveHttp(module: Class | DynamicModule, options: HttpOptions): Promise<NestFastifyApplication> {
  const { rewriteUrl } = options;
  const adapter = new Adapter({
    ...(rewriteUrl ? { rewriteUrl: ({ url = '/' }) => rewriteUrl(url) } : {}),
    bodyLimit: BODY_LIMIT,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512 },
    requestTimeout: 0,
    keepAliveTimeout: 75_000,
    forceCloseConnections: true,
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    logger: nestLog(options.log),
    abortOnError: false,
  });
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  addParsers(fastify, options.dialect.malformed ?? 'The request body is not valid JSON.');
  addProbes(fastify, options);
  options.extra?.(fastify, app);
  const handlerOf = (type: HandlerClass<unknown>): unknown => app.get(type as Class, { strict: false });
  new Registrar({ ...options, handlerOf }).register(fastify);
  await app.init();
  await app.listen(options.port, options.host);
  options.log.info({ port: options.port }, 'HTTP listens');
  return app;
}

/** JSON of any flavour is parsed, with prototype poisoning refused; any other body stays an unread stream. */
function addParsers(fastify: FastifyInstance, malformed: string): void {
  fastify.removeAllContentTypeParsers();
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser(/^application\/(?:[\w.+-]*[+-])?json/, { parseAs: 'string' }, (request, text, done) => {
    if (text === '') return done(null, undefined);
    parse(request, text as string, (error, value) => {
      if (error) return done(fail.invalid(malformed, { cause: error }));
      if (holdsHalfCharacter(text as string, value))
        return done(fail.invalid('The request body holds half of a surrogate pair.'));
      done(null, value);
    });
  });
  fastify.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}

/** Half of a surrogate pair is no text: it can be neither stored as JSON nor sent on as UTF-8. Only an escape brings one in. */
function holdsHalfCharacter(text: string, value: unknown): boolean {
  return ESCAPED_SURROGATE.test(text) && ESCAPED_SURROGATE.test(JSON.stringify(value));
}

function addProbes(fastify: FastifyInstance, options: HttpOptions): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    duration.labels(request.method, route, String(reply.statusCode)).observe(reply.elapsedTime / 1000);
    done();
  });
  fastify.get('/healthz', async (_request, reply) => {
    const parts = await options.health();
    const healthy = Object.values(parts).every(Boolean);
    return reply.code(healthy ? 200 : 503).send({ status: healthy ? 'ok' : 'degraded', parts });
  });
  fastify.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
}

const nestLog = (log: Log) => ({
  log: () => undefined,
  error: (message: unknown, ...rest: unknown[]) => log.error({ rest }, String(message)),
  warn: (message: unknown) => log.warn(String(message)),
  debug: () => undefined,
  verbose: () => undefined,
});
