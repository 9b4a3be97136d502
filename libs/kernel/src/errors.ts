/**
 * The closed union of what can go wrong. Domain code throws one of these kinds; HTTP statuses, fault names and
 * gRPC codes appear only at the edges, in one table per dialect. The message is public; the cause never leaves logs.
 */
export const ERROR_KINDS = [
  'invalid',
  'unauthorized',
  'forbidden',
  'notFound',
  'methodNotAllowed',
  'notAcceptable',
  'conflict',
  'gone',
  'preconditionFailed',
  'tooLarge',
  'unsupportedMedia',
  'overQuota',
  'rateLimited',
  'notImplemented',
  'unavailable',
  'fenced',
  'internal',
] as const;

export type ErrorKind = (typeof ERROR_KINDS)[number];

export interface FailureOptions {
  /** The dialect's own name of the error where clients read one, such as Neutron's `IpAddressInUse`. */
  readonly type?: string;
  /** Private: for logs and the operator's command. */
  readonly cause?: unknown;
  /** Seconds after which a retry makes sense; sent as Retry-After. */
  readonly retryAfter?: number;
}

/** An expected failure with a public message. */
export class Failure extends Error {
  readonly kind: ErrorKind;
  readonly type: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(kind: ErrorKind, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.kind = kind;
    this.type = options.type;
    this.retryAfter = options.retryAfter;
  }
}

type Maker = (message: string, options?: FailureOptions) => Failure;

/** Makers by kind: `throw fail.notFound('Instance x could not be found.')`. */
export const fail = Object.fromEntries(
  ERROR_KINDS.map((kind): [ErrorKind, Maker] => [kind, (message, options) => new Failure(kind, message, options)]),
) as Record<ErrorKind, Maker>;

/** True for a Failure, of that kind where one is given. */
export function isFailure(error: unknown, kind?: ErrorKind): error is Failure {
  return error instanceof Failure && (kind === undefined || error.kind === kind);
}

/** What may be shown of any thrown value: a Failure's own message, nothing of anything else. */
export function publicMessage(error: unknown): string {
  return error instanceof Failure && error.kind !== 'internal'
    ? error.message
    : 'An unexpected error prevented the server from fulfilling the request.';
}

/** The private text of any thrown value with its causes, for logs and task records. */
export function privateMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` <- ${privateMessage(error.cause)}`;
  return `${error.message}${cause}`;
}
