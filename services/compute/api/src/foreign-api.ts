/**
 * The API of another service, asked with the caller's own token: what older operations of compute stand for. The other
 * service judges the caller, so nothing is allowed here that is not allowed there.
 */
import type { restV1 } from '#libs/contract';
import { type ErrorKind, Failure, fail } from '#libs/kernel';
import type { Remote } from '#libs/platform/grpc';

/** Whoever asks, by the headers of the request. */
export interface Caller {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Asked {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query; every part that came from a client is encoded. */
  readonly path: string;
  readonly body?: unknown;
  /** JSON unless given. */
  readonly contentType?: string;
  /** The revision that is to be changed and no other; one of another is refused with a `conflict` of type REVISED. */
  readonly revision?: number;
}

/** Somebody has changed it meanwhile. */
export const REVISED = 'RevisionNumberConstraintFailed';

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  409: 'conflict',
  412: 'conflict',
  413: 'overQuota',
  503: 'unavailable',
};

type Rest = Pick<Remote<typeof restV1.RestService>, 'perform'>;

export class ForeignApi {
  constructor(private readonly rest: Rest) {}

  /** The body of the answer, undefined where it has none. Throws the other service's refusal with its own words. */
  async ask(
    caller: Caller,
    { method, path, body, contentType = 'application/json', revision }: Asked,
  ): Promise<unknown> {
    const token = caller.headers['x-auth-token'];
    const reply = await this.rest.perform({
      method,
      path,
      token: typeof token === 'string' ? token : '',
      contentType: body === undefined ? '' : contentType,
      body: body === undefined ? '' : JSON.stringify(body),
      ifMatch: revision === undefined ? '' : `revision_number=${revision}`,
    });
    const answer: unknown = reply.body === '' ? undefined : JSON.parse(reply.body);
    if (reply.status < 400) return answer;
    const kind = KINDS[reply.status];
    if (!kind) throw fail.internal('internal', { cause: new Error(`${method} ${path} answered ${reply.status}`) });
    const { message, type } = refusalIn(answer);
    throw new Failure(kind, message, type === undefined ? {} : { type });
  }
}

/** In the shape of image (`message`) or of network (`NeutronError`). */
function refusalIn(answer: unknown): { message: string; type?: string } {
  const { message, NeutronError: fault } = (answer ?? {}) as {
    message?: string;
    NeutronError?: { message: string; type: string };
  };
  return fault ?? { message: message ?? 'The request was refused.' };
}

/** A query string of what is given. */
export const queryOf = (parameters: Readonly<Record<string, string | number | undefined>>): string => {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length
    ? `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()}`
    : '';
};
