/**
 * An operation is a row: its route, who may call it, what it accepts, what it answers and which handler does it.
 * The registrar turns rows into routes; matrices and documents are made from the same rows.
 */
import type { FastifyRequest } from 'fastify';
import type { Credentials, Rule, Target, VerifiedToken } from '#libs/platform/policy';

/** A schema that may differ by version (structurally `Checked` of the wire library). */
export interface Checker<T> {
  readonly static?: T;
  check(value: unknown, version: number): string | undefined;
}

export interface Call<B = undefined, Q = Record<string, string | string[] | undefined>> {
  readonly requestId: string;
  /** 0 where the API has no microversions. Only for views. */
  readonly version: number;
  readonly token: VerifiedToken;
  readonly who: Credentials;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly body: B;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Public base URL of the service with no slash at its end; links start with it. */
  readonly base: string;
  /** Path and query as the service saw them, for links to further pages. */
  readonly url: string;
  /** True when the caller satisfies the named rule for the target (the caller's own project unless given). */
  may(rule: string, target?: unknown): boolean;
  readonly raw: FastifyRequest;
}

export interface Reply {
  /** The row's status unless given. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON; a Buffer or a Readable as it is; undefined sends no body. */
  readonly body?: unknown;
}

export type HandlerClass<H> = new (...parameters: never[]) => H;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';

export interface OpSpec<H, B, Q, R> {
  readonly method: Method;
  /** As the service sees it, parameters as `:name`: `/v2.1/servers/:id`. */
  readonly path: string;
  /** For Nova's actions: the only key of the body. Rows of one path are told apart by it. */
  readonly action?: string;
  /** Microversions in which the row exists; 404 outside. */
  readonly since?: string;
  readonly until?: string;
  /** `public`: needs no token (then `token` and `who` must not be touched). */
  readonly rule: Rule | 'public';
  readonly status: number | readonly (readonly [since: string, status: number])[];
  readonly body?: Checker<B>;
  readonly query?: Checker<Q>;
  /** The body is left unread, for streams: `call.raw.body` is the stream. */
  readonly stream?: boolean;
  /**
   * Finds what the call is about. Throws notFound where it does not exist. What it returns is the policy's target;
   * a row of another project is answered 404 unless `shared` says otherwise or the caller is an administrator.
   */
  load?(handlers: H, call: Call<B, Q>): Promise<R & Target>;
  /** True when a row of another project may be seen by this caller all the same (public images, shared networks). */
  shared?(row: R, who: Credentials): boolean;
  run(handlers: H, call: Call<B, Q>, row: R): Promise<Reply> | Reply;
}

/** A row with its types erased, as the registrar and the matrices see it. */
export interface Op extends OpSpec<never, never, never, never> {
  readonly handlers: HandlerClass<unknown>;
  readonly hasLoad: boolean;
}

/** Declares one row for a handler class. */
export function op<H, B = undefined, Q = Record<string, string | string[] | undefined>, R = undefined>(
  handlers: HandlerClass<H>,
  spec: OpSpec<H, B, Q, R>,
): Op {
  return { ...(spec as unknown as OpSpec<never, never, never, never>), handlers, hasLoad: spec.load !== undefined };
}
