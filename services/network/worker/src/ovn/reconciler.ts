/**
 * Brings OVN to what the books say. Marks are worked off in batches, oldest first; a mark goes away only when what it
 * stood for is in OVN and it was not set again meanwhile. At start and every few minutes everything is compared, and
 * rows of ours that nothing in the books stands for are removed; rows of others are never touched.
 *
 * One reconciler writes at a time: each draws a number, writes it into OVN, and makes every transaction wait for it to
 * be there still. One that was overtaken (a process that hung while another took over) can write nothing more.
 *
 * A resource that OVN refuses is set apart with its reason and tried again later; the others of its batch go on.
 */
import { type Clock, delay } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { isOvsdbError } from '#libs/platform/ovsdb';
import type { Mark, MarkKind, NetworkBooks } from '#services/network/data';
import type { Chassis, NbOp } from '#services/network/domain';
import { planFor } from './desired.js';
import { DriftWatch } from './drift.js';
import { encode, type NbClient, NbReplica } from './northbound.js';
import type { Subject } from './realizer.js';
import { membership, sweepSubjects } from './sweep.js';

const LEADER = 'yagura:reconciler';
const BATCH = 100;
const RETRY_MS = [500, 2_000, 10_000, 60_000] as const;
const PAUSE_MS = 500;

export interface ReconcilerParts {
  readonly books: NetworkBooks;
  readonly client: NbClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly defaultDns: readonly string[];
  /** The nodes as OVN knows them. */
  readonly chassis: () => readonly Chassis[];
  /** Time between full comparisons. */
  readonly fullMs: number;
  /** Hears how many rows a full comparison had to change. */
  readonly onDrift?: (operations: number) => void;
}

class Overtaken extends Error {
  constructor() {
    super('another reconciler has taken over');
  }
}

export class Reconciler {
  private readonly stopped = new AbortController();
  private readonly actual: NbReplica;
  private readonly drift: DriftWatch;
  private running: Promise<void> = Promise.resolve();
  private wakeUp: () => void = () => undefined;
  private awake = false;
  private number: number | null = null;
  private nextFull = 0;
  private trouble = '';
  /** Marks may be waiting for their time. */
  private waiting = true;

  constructor(private readonly parts: ReconcilerParts) {
    this.actual = new NbReplica(parts.client.replica);
    this.drift = new DriftWatch(parts.client, (subjects) => this.hearOfDrift(subjects));
  }

  /** Empty while all is well; else what keeps OVN from being brought up to date. */
  get problem(): string {
    return this.parts.client.state === 'synced' ? this.trouble : 'no connection to the northbound database';
  }

  start(): void {
    this.drift.start();
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.drift.stop();
    this.stopped.abort();
    this.wake();
    await this.running;
  }

  /** There may be something to do. */
  wake(): void {
    this.awake = true;
    this.wakeUp();
  }

  /** Asks for a full comparison at once. */
  compareNow(): void {
    this.nextFull = 0;
    this.wake();
  }

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      try {
        await this.parts.client.synced(5_000);
        if (this.number === null) await this.takeOver();
        const worked = await this.step();
        this.trouble = '';
        if (!worked) await this.rest();
      } catch (error) {
        await this.afterTrouble(error);
      }
    }
  }

  private async afterTrouble(error: unknown): Promise<void> {
    if (this.stopped.signal.aborted) return;
    this.trouble = error instanceof Error ? error.message : String(error);
    if (error instanceof Overtaken) {
      this.number = null;
      // A database that knows no reconciler at all is a new one: nobody has taken over, and it needs all that there is.
      if (this.leader() === undefined) return;
      this.parts.log.warn('another reconciler has taken over; waiting before taking over again');
      await delay(10_000, this.stopped.signal);
      return;
    }
    if (!isOvsdbError(error, 'not-connected', 'outcome-unknown', 'closed')) {
      this.parts.log.error({ err: error }, 'OVN could not be brought up to date');
    }
    await delay(PAUSE_MS, this.stopped.signal);
  }

  /** Works off one portion; false when there was nothing to do. */
  private async step(): Promise<boolean> {
    this.awake = false;
    const { books, clock } = this.parts;
    const now = clock.now().getTime();
    if (now >= this.nextFull) {
      // Before it begins: whoever asks for another meanwhile has seen what this one has passed already.
      this.nextFull = now + this.parts.fullMs;
      try {
        await this.compareAll();
      } catch (error) {
        this.nextFull = 0;
        throw error;
      }
    }
    const marks = await books.dirty.due(clock.now(), BATCH);
    if (marks.length === 0) return false;
    await this.apply(marks);
    return marks.length === BATCH || this.awake;
  }

  private async rest(): Promise<void> {
    if (this.awake) return;
    const now = this.parts.clock.now().getTime();
    const due = this.waiting ? await this.nextDue() : Number.POSITIVE_INFINITY;
    const ms = Math.max(20, Math.min(due, this.nextFull) - now);
    const woken = new AbortController();
    this.wakeUp = () => woken.abort();
    if (!this.awake) await delay(ms, AbortSignal.any([woken.signal, this.stopped.signal]));
  }

  /** When the first mark that was set apart is to be tried again. */
  private async nextDue(): Promise<number> {
    const at = await this.parts.books.dirty.nextDue();
    this.waiting = at !== undefined;
    return at?.getTime() ?? Number.POSITIVE_INFINITY;
  }

  private async apply(marks: readonly Mark[]): Promise<void> {
    try {
      await this.bring(marks);
      await this.parts.books.dirty.clear(marks);
    } catch (error) {
      if (!isOvsdbError(error, 'refused')) throw error;
      if (marks.length === 1) return this.setApart(marks[0]!, error.message);
      const half = Math.ceil(marks.length / 2);
      await this.apply(marks.slice(0, half));
      await this.apply(marks.slice(half));
    }
  }

  private async setApart(mark: Mark, reason: string): Promise<void> {
    this.waiting = true;
    const wait = RETRY_MS[Math.min(mark.tries, RETRY_MS.length - 1)]!;
    this.parts.log.error({ kind: mark.kind, id: mark.id, reason, tries: mark.tries + 1 }, 'OVN refused a resource');
    const until = new Date(this.parts.clock.now().getTime() + wait);
    await this.parts.books.dirty.postpone(mark, reason, until);
  }

  /** Makes OVN agree with the books about the subjects; gives the number of operations that took. */
  private async bring(subjects: readonly Subject[], groupsOf?: (portId: string) => Iterable<string>): Promise<number> {
    const { books, defaultDns, chassis } = this.parts;
    const options = { defaultDns, chassis, ...(groupsOf ? { groupsOf } : {}) };
    const plan = await planFor(books, books.db, subjects, this.actual, options);
    const operations = plan.operations();
    if (operations.length > 0) await this.commit(operations);
    return operations.length;
  }

  private async commit(operations: readonly NbOp[]): Promise<void> {
    const { client } = this.parts;
    try {
      await this.drift.ownWork(operations, () => client.transact([this.stillLeading(), ...encode(client, operations)]));
    } catch (error) {
      if (isOvsdbError(error, 'refused') && error.refusal?.op === 0) throw new Overtaken();
      throw error;
    }
  }

  /** The number of the reconciler that writes, as OVN has it. */
  private leader(): string | undefined {
    const [row] = this.parts.client.replica.table('NB_Global').values();
    return row?.external_ids.get(LEADER);
  }

  /** Others changed what is ours: it is brought back; everything is, where it is not known what all that was. */
  private hearOfDrift(subjects: readonly Subject[] | 'everything'): void {
    // Whoever takes over compares everything anyway.
    if (this.number === null) return;
    if (subjects === 'everything') {
      this.compareNow();
      return;
    }
    const { books, clock, log } = this.parts;
    log.warn({ subjects: subjects.slice(0, 20), count: subjects.length }, 'others changed rows of ours in OVN');
    const marked = [...Map.groupBy(subjects, (subject) => subject.kind)].map(([kind, own]: [MarkKind, Subject[]]) =>
      books.dirty.mark(
        kind,
        own.map((subject) => subject.id),
        clock.now(),
      ),
    );
    Promise.all(marked).then(
      () => this.wake(),
      () => this.compareNow(),
    );
  }

  private stillLeading() {
    const { client } = this.parts;
    const [row] = client.replica.table('NB_Global').values();
    const mine = ['map', [[LEADER, String(this.number)]]] as const;
    return client.ops.expectStill('NB_Global', row?._uuid ?? '', [['external_ids', 'includes', mine]]);
  }

  /** Draws a number and makes it the newest in OVN. The one row of NB_Global is made by whoever comes first. */
  private async takeOver(): Promise<void> {
    const { books, client, log } = this.parts;
    const number = await books.dirty.drawReconciler();
    const [row] = client.replica.table('NB_Global').values();
    if (!row) {
      await delay(PAUSE_MS, this.stopped.signal);
      if (client.replica.table('NB_Global').size === 0)
        await client.transact([{ op: 'insert', table: 'NB_Global', row: {} }]);
      return;
    }
    await client.transact([
      client.ops.putEntries('NB_Global', row._uuid, 'external_ids', { [LEADER]: String(number) }),
    ]);
    this.number = number;
    this.nextFull = 0;
    log.info({ number }, 'this process brings OVN up to date');
  }

  private async compareAll(): Promise<void> {
    const { books, client, clock, log, onDrift } = this.parts;
    const groups = membership(client.replica);
    let operations = 0;
    for await (const subjects of sweepSubjects(books, client.replica, BATCH)) {
      try {
        operations += await this.bring(subjects, (portId) => groups.get(portId) ?? []);
      } catch (error) {
        if (!isOvsdbError(error, 'refused')) throw error;
        for (const [kind, own] of Map.groupBy(subjects, (subject) => subject.kind)) {
          await books.dirty.mark(
            kind,
            own.map((subject) => subject.id),
            clock.now(),
          );
        }
      }
      if (this.stopped.signal.aborted) return;
    }
    onDrift?.(operations);
    if (operations > 0) log.info({ operations }, 'the full comparison changed OVN');
  }
}
