/** What an endpoint's puppet is asked, and what it answers. */

export type Protocol = 'tcp' | 'udp';

export interface Connected {
  /** `open`: what was said came back. `refused`: somebody said no. `silent`: nothing came in time. */
  readonly outcome: 'open' | 'refused' | 'silent';
  readonly ms: number;
}

export interface Held {
  /** When the last byte came back. */
  readonly lastAt: number;
  readonly closed: boolean;
}

export interface Flow {
  readonly sent: number;
  readonly received: number;
  readonly longestGapMs: number;
}

export interface Poured {
  readonly bytes: number;
  readonly ms: number;
}

export interface Fetched {
  readonly status: number;
  readonly body: string;
  /** Milliseconds of each request, in order. */
  readonly took: readonly number[];
}

/** GET over HTTP, port 80, one connection each. */
export interface FetchRequest {
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly times?: number;
  readonly timeoutMs?: number;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

interface Named {
  readonly name: string;
}

/** Each request with its answer. */
export interface Requests {
  listen: [{ protocol: Protocol; port: number; sink?: boolean }, null];
  connect: [Target & { protocol: Protocol; timeoutMs: number }, Connected];
  hold: [Target & Named, null];
  held: [Named, Held];
  flow: [Target & Named & { everyMs: number }, null];
  endFlow: [Named, Flow];
  pour: [Target & { ms: number }, Poured];
  fetch: [FetchRequest, Fetched];
  dawdle: [Target & { count: number }, number];
}
