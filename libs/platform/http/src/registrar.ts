/**
 * From rows to routes. The order of checks is the same for every row: token, version, body and query, then the target
 * (another project's is 404), then policy (403), then the handler. Every error leaves in the dialect's own shape.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Failure, fail, isFailure, isRequestId, newRequestId, runInContext } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import {
  ADMIN,
  type Credentials,
  type Rule,
  type Target,
  type TokenVerifier,
  type VerifiedToken,
} from '#libs/platform/policy';
import type { Call, HandlerClass, Op, Reply } from './op.js';

export interface Manners {
  readonly name: string;
  readonly policyFirst?: boolean;
  readonly malformed?: string;
  negotiate(headers: FastifyRequest['headers']): number;
  admit?(method: string, headers: FastifyRequest['headers']): void;
  headers(version: number | undefined, requestId: string): Record<string, string>;
  fault(
    error: Failure,
    requestId: string,
    version: number | undefined,
  ): { status: number; headers: Record<string, string>; body: unknown };
}

export interface RegistrarOptions {
  readonly ops: readonly Op[];
  /** Further rules that views and handlers ask for by name. */
  readonly rules?: readonly Rule[];
  readonly dialect: Manners;
  readonly verifier: TokenVerifier;
  readonly publicBase: string;
  readonly log: Log;
  handlerOf(type: HandlerClass<unknown>): unknown;
}

interface Loose {
  load?(handlers: unknown, call: Call<unknown, unknown>): Promise<Target>;
  shared?(row: unknown, who: Credentials): boolean;
  run(handlers: unknown, call: Call<unknown, unknown>, row: unknown): Promise<Reply> | Reply;
  body?: { check(value: unknown, version: number): string | undefined };
  query?: { check(value: unknown, version: number): string | undefined };
}

const parse = (version: string): number => {
  const [major, minor] = version.split('.');
  return Number(major) * 1000 + Number(minor);
};

const existsAt = (row: Op, version: number): boolean =>
  (!row.since || parse(row.since) <= version) && (!row.until || version <= parse(row.until));

function statusOf(row: Op, version: number): number {
  if (typeof row.status === 'number') return row.status;
  const holds = row.status.filter(([since]) => parse(since) <= version).at(-1) ?? row.status[0];
  if (!holds) throw new Error(`${row.path} has no status`);
  return holds[1];
}

export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #rules: Map<string, Rule>;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    const named = options.ops.flatMap((row) => (row.rule === 'public' ? [] : [row.rule]));
    this.#rules = new Map([...named, ...(options.rules ?? [])].map((rule) => [rule.name, rule]));
  }

  /** Registers every row; rows of one method and path share a route. */
  register(fastify: FastifyInstance): void {
    const routes = new Map<string, Op[]>();
    for (const row of this.#options.ops) {
      const key = `${row.method} ${row.path}`;
      routes.set(key, [...(routes.get(key) ?? []), row]);
    }
    for (const rows of routes.values()) {
      const { method, path } = rows[0]!;
      fastify.route({ method, url: path, handler: (request, reply) => this.#serve(rows, request, reply) });
    }
    const methods = methodsByPath(this.#options.ops);
    fastify.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?')[0] ?? '';
      // With a slash at its end it is one thing of a list, its id left out.
      const isWhole = path === '/' || !path.endsWith('/');
      const allowed = methods.filter(({ pattern }) => isWhole && pattern.test(path)).map(({ method }) => method);
      if (allowed.length) reply.header('Allow', [...new Set(allowed)].sort().join(', '));
      const error = allowed.length
        ? fail.methodNotAllowed(`The method ${request.method} is not allowed for this resource.`)
        : fail.notFound('The resource could not be found.');
      this.#refuse(error, requestIdOf(request), this.#versionOf(request), reply);
    });
    fastify.setErrorHandler((error, request, reply) => this.#refuse(error, requestIdOf(request), undefined, reply));
  }

  async #serve(rows: readonly Op[], request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const requestId = requestIdOf(request);
    const { dialect, verifier } = this.#options;
    let version: number | undefined;
    try {
      const header = request.headers['x-auth-token'];
      const isPublic = rows.every((row) => row.rule === 'public');
      const token = isPublic ? undefined : verifier.verify(typeof header === 'string' ? header : '');
      version = dialect.negotiate(request.headers);
      dialect.admit?.(request.method, request.headers);
      const row = this.#choose(rows, request, version);
      const context = {
        requestId,
        ...(token?.credentials.projectId ? { projectId: token.credentials.projectId } : {}),
      };
      const at = version;
      const answer = await runInContext(context, () => this.#perform(row, request, at, requestId, token));
      return this.#send(reply, answer, row, at, requestId);
    } catch (error) {
      return this.#refuse(error, requestId, version, reply);
    }
  }

  #choose(rows: readonly Op[], request: FastifyRequest, version: number): Op {
    const live = rows.filter((row) => existsAt(row, version));
    if (!live.length) throw fail.notFound('The resource could not be found.');
    if (!live.some((row) => row.action)) return live[0]!;
    const body = request.body;
    const keys = body !== null && typeof body === 'object' ? Object.keys(body) : [];
    const row = live.find((candidate) => candidate.action && keys.includes(candidate.action));
    if (row) return row;
    throw fail.invalid(
      keys.length
        ? `There is no such action: ${keys.join(', ').slice(0, 100)}`
        : 'Malformed request body: an action is needed.',
    );
  }

  async #perform(
    row: Op,
    request: FastifyRequest,
    version: number,
    requestId: string,
    token: VerifiedToken | undefined,
  ): Promise<Reply> {
    const loose = row as unknown as Loose;
    const call = this.#callOf(request, version, requestId, token);
    if (this.#options.dialect.policyFirst && !loose.load && row.rule !== 'public')
      this.#authorize(row.rule, loose, call, undefined);
    if (loose.query) complain(loose.query.check(request.query, version));
    if (loose.body && !mayBeJson(request))
      throw fail.unsupportedMedia('The media type of the body must be application/json.');
    if (loose.body)
      complain(
        request.body === undefined
          ? (this.#options.dialect.malformed ?? 'A JSON body is needed.')
          : loose.body.check(request.body, version),
      );
    const handlers = this.#options.handlerOf(row.handlers);
    const found = loose.load ? await loose.load(handlers, call) : undefined;
    if (row.rule !== 'public') this.#authorize(row.rule, loose, call, found);
    return loose.run(handlers, call, found);
  }

  #authorize(rule: Rule, loose: Loose, call: Call<unknown, unknown>, found: Target | undefined): void {
    const { who } = call;
    const target: Target = found ?? own(who);
    const foreign = found?.projectId !== undefined && found.projectId !== who.projectId;
    if (foreign && !ADMIN.test(who, target) && !loose.shared?.(found, who))
      throw fail.notFound('The resource could not be found.');
    if (!rule.check.test(who, target)) throw fail.forbidden(`Policy doesn't allow ${rule.name} to be performed.`);
  }

  #callOf(
    request: FastifyRequest,
    version: number,
    requestId: string,
    token: VerifiedToken | undefined,
  ): Call<unknown, unknown> {
    const { publicBase } = this.#options;
    const rules = this.#rules;
    return {
      requestId,
      version,
      get token() {
        if (!token) throw new Error('a public operation has no token');
        return token;
      },
      get who() {
        return this.token.credentials;
      },
      params: request.params as Record<string, string>,
      query: request.query,
      body: request.body,
      headers: request.headers,
      base: publicBase,
      url: request.url,
      may(name, target) {
        const rule = rules.get(name);
        if (!rule) throw new Error(`no such policy rule: ${name}`);
        return rule.check.test(this.who, (target as Target | undefined) ?? own(this.who));
      },
      raw: request,
    };
  }

  #send(reply: FastifyReply, answer: Reply, row: Op, version: number, requestId: string): FastifyReply {
    reply.code(answer.status ?? statusOf(row, version)).headers(this.#options.dialect.headers(version, requestId));
    if (answer.headers) reply.headers(answer.headers);
    if (answer.body === undefined) return reply.send();
    if (Buffer.isBuffer(answer.body) || isStream(answer.body)) return reply.send(answer.body);
    return sendJson(reply, answer.body);
  }

  #refuse(error: unknown, requestId: string, version: number | undefined, reply: FastifyReply): FastifyReply {
    const failure = asFailure(error);
    if (failure.kind === 'internal') {
      runInContext({ requestId }, () => this.#options.log.error({ err: failure.cause ?? error }, 'a request failed'));
    }
    const fault = this.#options.dialect.fault(failure, requestId, version);
    reply.code(fault.status).headers({ ...this.#options.dialect.headers(version, requestId), ...fault.headers });
    return sendJson(reply, fault.body);
  }

  /** For answers to what is no operation: the version, if it can be had. */
  #versionOf(request: FastifyRequest): number | undefined {
    try {
      return this.#options.dialect.negotiate(request.headers);
    } catch {
      return undefined;
    }
  }
}

/** As bytes: Fastify would add a charset to the type of a text, and no OpenStack service names one. */
const sendJson = (reply: FastifyReply, body: unknown): FastifyReply =>
  reply.type('application/json').send(Buffer.from(JSON.stringify(body)));

const isStream = (value: unknown): boolean =>
  typeof (value as { pipe?: unknown } | null | undefined)?.pipe === 'function';

/** A body of another type is left unread; where there is none, its type may still be named. */
const mayBeJson = ({ body, headers }: FastifyRequest): boolean =>
  !isStream(body) && (headers['content-type'] === undefined || JSON_TYPE.test(headers['content-type']));

const JSON_TYPE = /^application\/(?:[\w.+-]*[+-])?json/;

const own = (who: Credentials): Target => ({ projectId: who.projectId, domainId: who.domainId, userId: who.userId });

function complain(problem: string | undefined): void {
  if (problem) throw fail.invalid(problem);
}

function requestIdOf(request: FastifyRequest): string {
  const known = (request as { yaguraRequestId?: string }).yaguraRequestId;
  if (known) return known;
  const sent = request.headers['x-openstack-request-id'];
  const id = typeof sent === 'string' && isRequestId(sent) ? sent : newRequestId();
  (request as { yaguraRequestId?: string }).yaguraRequestId = id;
  return id;
}

/** Errors of Fastify itself (bad JSON, too large a body) as kinds; anything unknown is internal. */
function asFailure(error: unknown): Failure {
  if (isFailure(error)) return error;
  const status = (error as { statusCode?: number }).statusCode;
  if (status === 413) return fail.tooLarge('The request body is too large.');
  if (status === 415) return fail.unsupportedMedia('The media type of the request is not supported.');
  if (status !== undefined && status >= 400 && status < 500)
    return fail.invalid('Malformed request.', { cause: error });
  return fail.internal('internal', { cause: error });
}

function methodsByPath(ops: readonly Op[]): { method: string; pattern: RegExp }[] {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return ops.map(({ method, path }) => ({
    method,
    pattern: new RegExp(
      `^${path
        .split('/')
        .map((part) => (part.startsWith(':') ? '[^/]+' : literal(part)))
        .join('/')}/?$`,
    ),
  }));
}
