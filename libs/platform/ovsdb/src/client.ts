/**
 * A client of one OVSDB database: it keeps a replica of the declared tables, keeps
 * itself connected to a usable server among several remotes, and runs
 * transactions.
 *
 * - The replica outlives connections; on return the server sends only what was
 *   missed since the last transaction seen, or everything, and either way the
 *   listeners hear of each row that changed.
 * - When a transaction's promise resolves, the replica already shows its effect:
 *   the server reports changes before it answers.
 * - A lost connection is never fatal; only `close` ends the client.
 */
import type { DatabaseSpec } from './columns.js';
import { isOvsdbError, OvsdbError, refused } from './errors.js';
import {
  checkLeader,
  DATA_MONITOR,
  leadershipLost,
  type MonitorAnswer,
  monitorSince,
  NO_TRANSACTION,
  SERVER_MONITOR,
  verifySchema,
} from './handshake.js';
import { Listeners } from './listeners.js';
import { type Operation, type OperationResult, Operations } from './operations.js';
import { dial, openedEvent, parseRemotes, type Remote, type TlsFiles } from './remote.js';
import { type Change, Replica, type TableUpdates } from './replica.js';
import { Session } from './session.js';

export interface OvsdbOptions<S extends DatabaseSpec> {
  /** `unix:PATH`, `tcp:HOST:PORT`, `ssl:HOST:PORT`; several separated by commas. */
  readonly remotes: string;
  readonly database: string;
  readonly tables: S;
  readonly tls?: TlsFiles;
  /** Refuse cluster members that do not lead (default true). */
  readonly leaderOnly?: boolean;
  /** Silence before a probe (default 5000 ms); three silent probes end the connection. */
  readonly probeMs?: number;
  /** Time for each step of connecting (default 10000 ms). */
  readonly connectTimeoutMs?: number;
  /** First and longest pause between attempts (default 100 and 8000 ms). */
  readonly backoffMs?: readonly [first: number, longest: number];
  /** Bound of one message (default 512 MiB). */
  readonly maxMessageBytes?: number;
}

export interface TransactOptions {
  /** Time to wait for the answer; afterwards the outcome is unknown (default 30000 ms). */
  readonly timeoutMs?: number;
}

export type ClientState = 'connecting' | 'synced' | 'closed';

const DEFAULTS = {
  probeMs: 5000,
  connectTimeoutMs: 10_000,
  backoffMs: [100, 8000] as const,
  maxMessageBytes: 512 * 1024 * 1024,
  transactMs: 30_000,
};

export class OvsdbClient<S extends DatabaseSpec> {
  readonly replica: Replica<S>;
  readonly ops: Operations<S>;
  private readonly remotes: readonly Remote[];
  private readonly changes = new Listeners<readonly Change<S>[]>();
  private readonly states = new Listeners<ClientState>();
  private readonly troubles = new Listeners<OvsdbError>();
  private session: Session | null = null;
  private timer: NodeJS.Timeout | undefined;
  private current: ClientState = 'connecting';
  private failures = 0;
  private transaction = NO_TRANSACTION;
  private watchedRow = '';

  constructor(private readonly options: OvsdbOptions<S>) {
    this.replica = new Replica(options.tables);
    this.ops = new Operations(options.tables);
    this.remotes = parseRemotes(options.remotes);
  }

  get state(): ClientState {
    return this.current;
  }

  /** Begins to connect; connecting goes on until `close`. */
  start(): this {
    if (this.session === null && this.timer === undefined && this.current !== 'closed') this.open();
    return this;
  }

  close(): void {
    if (this.current === 'closed') return;
    clearTimeout(this.timer);
    this.enter('closed');
    this.session?.end(new OvsdbError('closed', 'the client was closed'));
  }

  /** Hears of every reported transaction, once each. Returns the unsubscriber. */
  onChanges(listener: (changes: readonly Change<S>[]) => void): () => void {
    return this.changes.add(listener);
  }

  onState(listener: (state: ClientState) => void): () => void {
    return this.states.add(listener);
  }

  /** Hears why a connection ended or could not be made. */
  onTrouble(listener: (reason: OvsdbError) => void): () => void {
    return this.troubles.add(listener);
  }

  /** Resolves once the replica follows a server; rejects after `timeoutMs` or on `close`. */
  synced(timeoutMs: number): Promise<void> {
    if (this.current === 'synced') return Promise.resolve();
    if (this.current === 'closed') return Promise.reject(new OvsdbError('closed', 'closed'));
    return new Promise((resolve, reject) => {
      const finish = (error: OvsdbError | null): void => {
        clearTimeout(timer);
        stop();
        if (error === null) resolve();
        else reject(error);
      };
      const late = new OvsdbError('not-connected', `no server within ${timeoutMs} ms`);
      const timer = setTimeout(() => finish(late), timeoutMs);
      const stop = this.onState((state) => {
        if (state === 'synced') finish(null);
        if (state === 'closed') finish(new OvsdbError('closed', 'closed'));
      });
    });
  }

  /** Runs one transaction: all of it or nothing. Throws `OvsdbError`; see its kinds. */
  async transact(operations: readonly Operation[], options: TransactOptions = {}): Promise<readonly OperationResult[]> {
    const { session } = this;
    if (session === null || this.current !== 'synced') {
      throw new OvsdbError('not-connected', 'no server is connected');
    }
    const timeoutMs = options.timeoutMs ?? DEFAULTS.transactMs;
    const params = [this.options.database, ...operations];
    return outcome(await session.call('transact', params, { timeoutMs }));
  }

  /**
   * Runs a transaction whose effect can be recognized, until it is certain: when the
   * answer is lost, waits for a server, asks `applied` (which looks at the replica),
   * and sends again only if the effect is not there. Refusals are thrown as they come.
   */
  async transactCertain(
    operations: readonly Operation[],
    applied: (replica: Replica<S>) => boolean,
    options: TransactOptions & { readonly attempts?: number } = {},
  ): Promise<void> {
    const timeoutMs = options.timeoutMs ?? DEFAULTS.transactMs;
    for (let left = options.attempts ?? 5; ; left--) {
      try {
        await this.synced(timeoutMs);
        if (applied(this.replica)) return;
        await this.transact(operations, { timeoutMs });
        return;
      } catch (error) {
        if (left <= 1 || !isOvsdbError(error, 'outcome-unknown', 'not-connected')) throw error;
      }
    }
  }

  private enter(state: ClientState): void {
    if (this.current === state || this.current === 'closed') return;
    this.current = state;
    this.states.tell(state);
  }

  private open(): void {
    this.timer = undefined;
    const remote = this.remotes[this.failures % this.remotes.length];
    if (remote === undefined) return;
    try {
      const socket = dial(remote, this.options.tls);
      const session = this.newSession(socket);
      this.session = session;
      const wait = this.options.connectTimeoutMs ?? DEFAULTS.connectTimeoutMs;
      const late = new OvsdbError('not-connected', 'connecting took too long');
      const deadline = setTimeout(() => session.end(late), wait);
      socket.once('close', () => clearTimeout(deadline));
      socket.once(openedEvent(remote), () => {
        clearTimeout(deadline);
        this.greet(session, wait).catch((error: unknown) => session.end(asOvsdbError(error)));
      });
    } catch (error) {
      this.lost(asOvsdbError(error));
    }
  }

  private newSession(socket: ReturnType<typeof dial>): Session {
    const limits = {
      probeMs: this.options.probeMs ?? DEFAULTS.probeMs,
      maxMessageBytes: this.options.maxMessageBytes ?? DEFAULTS.maxMessageBytes,
    };
    return new Session(socket, limits, {
      notification: (method, params) => this.heard(method, params),
      ended: (reason) => this.lost(reason),
    });
  }

  private async greet(session: Session, timeoutMs: number): Promise<void> {
    const { database, tables } = this.options;
    if (this.options.leaderOnly ?? true) {
      this.watchedRow = await checkLeader(session, database, timeoutMs);
    }
    await verifySchema(session, database, tables, timeoutMs);
    await monitorSince(session, database, tables, this.transaction, (answer) => this.begin(answer));
  }

  private begin(answer: MonitorAnswer): void {
    const changes = this.replica.apply(answer.updates, !answer.resumed);
    this.transaction = answer.transaction;
    this.failures = 0;
    this.enter('synced');
    if (changes.length > 0) this.changes.tell(changes);
  }

  private heard(method: string, params: readonly unknown[]): void {
    const [monitor] = params;
    if (method === 'update3' && monitor === DATA_MONITOR) {
      const changes = this.replica.apply(params[2] as TableUpdates, false);
      this.transaction = String(params[1]);
      if (changes.length > 0) this.changes.tell(changes);
    } else if (method === 'update2' && monitor === SERVER_MONITOR) {
      if (leadershipLost(params[1], this.watchedRow)) {
        this.session?.end(new OvsdbError('not-connected', 'the server leads no longer'));
      }
    }
  }

  private lost(reason: OvsdbError): void {
    this.session = null;
    if (this.current === 'closed') return;
    // A broken stream may have left the replica behind: begin again from nothing.
    if (reason.kind === 'protocol') this.transaction = NO_TRANSACTION;
    this.enter('connecting');
    this.troubles.tell(reason);
    this.failures += 1;
    this.timer = setTimeout(() => this.open(), this.pause());
  }

  /** Other remotes are tried at once; a whole round without success doubles the pause. */
  private pause(): number {
    const [first, longest] = this.options.backoffMs ?? DEFAULTS.backoffMs;
    const rounds = Math.floor((this.failures - 1) / this.remotes.length);
    const ceiling = Math.min(longest, first * 2 ** Math.min(rounds, 16));
    return ceiling * (0.5 + Math.random() / 2);
  }
}

function asOvsdbError(error: unknown): OvsdbError {
  if (error instanceof OvsdbError) return error;
  return new OvsdbError('not-connected', error instanceof Error ? error.message : 'failed');
}

/** The results of a transaction, or its first error: one past the end is the commit's own. */
function outcome(answer: unknown): readonly OperationResult[] {
  if (!Array.isArray(answer)) throw new OvsdbError('protocol', 'a transaction without results');
  answer.forEach((result: unknown, index) => {
    if (typeof result !== 'object' || result === null) return;
    const { error, details } = result as { error?: unknown; details?: unknown };
    if (typeof error === 'string') throw refused(error, String(details ?? ''), index);
  });
  return answer as OperationResult[];
}
