/**
 * Runs the tasks of one process: leases what is due, keeps the leases alive, and wakes for commits of this process, for
 * notifications of others, for the end of a pause, and in any case every other second.
 */
import { type Clock, isFailure, systemClock } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import type { Log } from '#libs/platform/log';
import { callInDebts, DebtSettler } from './debts.js';
import { Drive, type DriveDeps, type DriveEnd } from './drive.js';
import { purgeTasks } from './history.js';
import type { FlowHooks, Probe } from './hooks.js';
import { HEARTBEAT, LEASE, PROMOTE, RECLAIM, REVIVE, type TaskRow } from './sql.js';
import { DEBT_CHANNEL, TASK_CHANNEL } from './tasks.js';
import { Timers } from './timers.js';
import type { AnyFlow, Flow } from './types.js';

export interface FlowRunnerOptions {
  readonly db: Db;
  /** All kinds and versions that this process knows; it leases no others. */
  readonly flows: readonly AnyFlow[];
  /** The process's name. At start, leases under the same name are taken over: it must be unique among living processes. */
  readonly owner: string;
  readonly clock?: Clock;
  /** Tasks at work at once; 16 unless told. Half of them at most are retries. */
  readonly concurrency?: number;
  /** 15,000 unless told. Renewed after a third of it. */
  readonly leaseMs?: number;
  /** How long one `ensure` may take; two thirds of the lease unless told. */
  readonly stepTimeoutMs?: number;
  /** 1,500 unless told. */
  readonly scanMs?: number;
  /** Days for which ended tasks are kept, for the operator and for histories; 30 unless told. */
  readonly keepDays?: number;
  /** In [0, 1); spreads retries. */
  readonly random?: () => number;
  readonly hooks?: FlowHooks;
  readonly log?: Log;
  /** For tests. */
  readonly probe?: Probe;
}

export class FlowRunner {
  private readonly db: Db;
  private readonly flows: ReadonlyMap<string, AnyFlow>;
  private readonly deps: DriveDeps;
  private readonly concurrency: number;
  private readonly scanMs: number;
  private readonly active = new Map<Drive, Promise<void>>();
  private readonly stopped = new AbortController();
  private readonly timers = new Timers();
  private readonly settler: DebtSettler;
  private unlisten: (() => void)[] = [];
  private pumping: Promise<void> | undefined;
  private settling: Promise<void> | undefined;
  private again = false;
  /** The last lease filled every free slot, so there may be more. */
  private backlog = false;
  /** There may be leases in our name that we know nothing of: those of the process before us, to begin with. */
  private orphans = true;

  constructor(private readonly options: FlowRunnerOptions) {
    this.db = options.db;
    this.flows = new Map(options.flows.map((flow) => [`${flow.kind}@${flow.version}`, flow]));
    if (this.flows.size !== options.flows.length) throw new Error('two flows share a kind and a version');
    this.concurrency = options.concurrency ?? 16;
    this.scanMs = options.scanMs ?? 1_500;
    const leaseMs = options.leaseMs ?? 15_000;
    const clock = options.clock ?? systemClock;
    this.deps = {
      db: options.db,
      clock,
      random: options.random ?? Math.random,
      hooks: options.hooks ?? {},
      probe: options.probe,
      leaseMs,
      stepTimeoutMs: options.stepTimeoutMs ?? Math.floor((leaseMs * 2) / 3),
      onTrouble: (error, task) =>
        options.log?.error({ err: error, task: task.id, kind: task.kind }, 'a task could not be driven on'),
    };
    this.settler = new DebtSettler(options.db, clock, this.flows, this.deps.stepTimeoutMs);
  }

  /** Starts working; resolves at once even if the database is away. */
  async start(): Promise<void> {
    this.unlisten = [
      await this.db.listen(TASK_CHANNEL, () => this.pump()),
      await this.db.listen(DEBT_CHANNEL, () => this.settleDebts()),
    ];
    this.timers.every(this.scanMs, () => this.scan());
    this.timers.every(this.deps.leaseMs / 3, () => this.heartbeat());
    this.timers.every(15_000, () => this.settleDebts());
    this.timers.every(3_600_000, () => this.purge());
    this.pump();
    this.settleDebts();
  }

  /** Leases nothing more, lets steps at work come to their record for up to `graceMs`, and gives the tasks back. */
  async stop(graceMs = 3_000): Promise<void> {
    this.stopped.abort();
    for (const unlisten of this.unlisten) unlisten();
    this.timers.clear();
    await this.pumping;
    for (const drive of this.active.keys()) drive.stop();
    const grace = new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref());
    await Promise.race([Promise.all([...this.active.values(), this.settling]), grace]);
    for (const drive of this.active.keys()) drive.lose();
  }

  /** A creditor is back: its debts are tried now. Call it in the transaction that notes the return. */
  settle(tx: Tx, creditor: string): Promise<number> {
    return callInDebts(tx, creditor);
  }

  /** Tasks at work in this process. */
  get busy(): number {
    return this.active.size;
  }

  /** Looks for due tasks, now; calls while a look is under way lead to one more after it. */
  private pump(): void {
    if (this.stopped.signal.aborted) return;
    this.again = true;
    this.pumping ??= this.pumpOn().finally(() => {
      this.pumping = undefined;
      if (this.again) this.pump();
    });
  }

  private async pumpOn(): Promise<void> {
    while (this.again && !this.stopped.signal.aborted) {
      this.again = false;
      const free = this.concurrency - this.active.size;
      if (free <= 0) {
        this.backlog = true;
        return;
      }
      try {
        if (this.orphans) await this.reclaim();
        this.backlog = (await this.lease(free)) === free;
      } catch (error) {
        this.trouble(error);
        this.orphans = true;
        this.again = false;
        this.timers.once(250, () => this.pump());
        return;
      }
    }
  }

  /** Leases are only taken after this, in the same order of calls, so none of ours is missed. */
  private async reclaim(): Promise<void> {
    await this.db.exec(RECLAIM, [this.options.owner, [...this.active.keys()].map((drive) => drive.task.id)]);
    this.orphans = false;
  }

  private async lease(free: number): Promise<number> {
    const retrying = [...this.active.keys()].filter((drive) => drive.task.attempt > 0).length;
    const retries = Math.max(0, Math.ceil(this.concurrency / 2) - retrying);
    const kinds = [...this.flows.keys()];
    const rows = await this.db.query<TaskRow>(LEASE, [kinds, free, retries, this.options.owner, this.deps.leaseMs]);
    for (const row of rows) this.begin(row);
    return rows.length;
  }

  private begin(row: TaskRow): void {
    const flow = this.flows.get(`${row.kind}@${row.version}`) as Flow<unknown> | undefined;
    if (!flow) return;
    this.deps.hooks.leased?.({ kind: row.kind, waitedMs: row.waited_ms });
    const drive = new Drive(this.deps, row, flow);
    const done = drive.run().then((end) => {
      this.active.delete(drive);
      this.after(end);
    });
    this.active.set(drive, done);
  }

  private after(end: DriveEnd): void {
    if (end.kind === 'parked' || end.kind === 'failed') {
      if (end.ms < 2 * this.scanMs) this.timers.once(end.ms, () => this.pump());
    } else if (end.kind === 'ended') {
      this.promote();
    } else if (end.kind === 'lost') {
      this.orphans = true;
    }
    if (this.backlog || this.orphans) this.pump();
  }

  private promote(): void {
    this.db
      .exec(PROMOTE)
      .then((started) => {
        if (started) this.pump();
      })
      .catch((error: unknown) => this.trouble(error));
  }

  private scan(): void {
    this.promote();
    this.db.exec(REVIVE, [[...this.flows.keys()]]).catch((error: unknown) => this.trouble(error));
    this.pump();
  }

  private purge(): void {
    purgeTasks(this.db, this.options.keepDays ?? 30).catch((error: unknown) => this.trouble(error));
  }

  /** Renews every lease at once; a drive whose lease another runner holds is told to stop. */
  private heartbeat(): void {
    const drives = [...this.active.keys()];
    if (!drives.length) return;
    const params = [drives.map((drive) => drive.task.id), drives.map((drive) => drive.task.fence), this.deps.leaseMs];
    this.db
      .query<{ id: string }>(HEARTBEAT, params)
      .then((rows) => {
        const held = new Set(rows.map((row) => row.id));
        for (const drive of drives) if (!held.has(drive.task.id) && this.active.has(drive)) drive.lose();
      })
      .catch((error: unknown) => this.trouble(error));
  }

  private settleDebts(): void {
    if (this.settling || this.stopped.signal.aborted) return;
    this.settling = this.settler
      .settleDue(this.stopped.signal)
      .then(() => undefined)
      .catch((error: unknown) => this.trouble(error))
      .finally(() => {
        this.settling = undefined;
      });
  }

  /** A database that is away is waited for; a lost race for a key is looked at again by the next scan. */
  private trouble(error: unknown): void {
    if (isFailure(error, 'unavailable') || this.stopped.signal.aborted) return;
    this.options.log?.warn({ err: error }, 'the flow runner could not look after its tasks');
  }
}
