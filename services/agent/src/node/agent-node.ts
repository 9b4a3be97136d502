/**
 * One node: takes commands, keeps the fences, runs at most one job for each server, and says what is there.
 * Invariants: nothing is done for a command that is older than what the ledger holds; a pair is durable before its job
 * starts; a newer command waits until the job before it has ended; what the agent was not told of is never touched.
 */
import { type NodeCommand, nodeDigest, type PowerState } from '#libs/contract';
import { currentContext, newRequestId, privateMessage, runInContext } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { HypervisorDriver, Inventory, ServerSpec } from '../driver/driver.js';
import { comparePairs, type Held, type Ledger, type Pair } from '../fence/ledger.js';
import type { ComputePort, ReportPort, ServerReport } from './ports.js';
import { Reporter } from './reporter.js';
import { type JobOutcome, ServerJob } from './server-job.js';
import { Teller } from './teller.js';
import { uptimeAndLoad } from './vitals.js';

export interface AgentNodeOptions {
  readonly name: string;
  readonly driver: HypervisorDriver;
  readonly ledger: Ledger;
  readonly compute: ComputePort;
  readonly reports: ReportPort;
  readonly log: Log;
  readonly now?: () => number;
  readonly patienceMs?: number;
}

type Ensure = Extract<NodeCommand, { type: 'ensure' }>;

/** A removal that failed is not answered with its failure for ever: it is tried again when asked again. */
const mayTryAgain = (held: Held): boolean => held.phase === 'failed' && held.wanted === 'absent';

/** Work that is over sooner says nothing of being busy. */
const BUSY_AFTER_MS = 500;

interface Running {
  readonly job: ServerJob;
  readonly ended: Promise<void>;
}

export class AgentNode {
  readonly name: string;
  readonly #options: AgentNodeOptions;
  readonly #driver: HypervisorDriver;
  readonly #ledger: Ledger;
  readonly #reporter: Reporter;
  readonly #teller: Teller;
  readonly #now: () => number;
  readonly #running = new Map<string, Running>();
  #stopped = false;

  constructor(options: AgentNodeOptions) {
    this.name = options.name;
    this.#options = options;
    this.#driver = options.driver;
    this.#ledger = options.ledger;
    this.#reporter = new Reporter(options.reports, options.log);
    const { driver, compute, log } = options;
    this.#teller = new Teller({ driver, compute, log, idle: (serverId) => this.#idle(serverId) });
    this.#now = options.now ?? Date.now;
  }

  /** Starts the driver and goes on with what was not finished. */
  async start(): Promise<void> {
    await this.#driver.start({
      changed: (serverId, why) => this.#detached(() => this.#observe(serverId, why)),
      resynced: () => this.#detached(() => this.#observeAll()),
      posted: (serverId, password) => this.#options.compute.postPassword(serverId, password),
      keys: (serverId) => this.#options.compute.diskKeys(serverId),
    });
    for (const held of this.#ledger.all()) if (held.phase === 'busy') this.#begin(held.serverId, held.generation);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { job } of this.#running.values()) job.abort();
    await Promise.all([...this.#running.values()].map((one) => one.ended));
    await this.#teller.stop();
    await this.#driver.stop();
    await this.#ledger.close();
  }

  /** Handles a command from the bus; resolves when it is durably taken, refused or answered. */
  async command(command: NodeCommand): Promise<void> {
    if (command.type === 'report') await this.full();
    else if (command.type === 'refresh') this.#teller.refresh(command.serverId);
    else await this.#ensure(command);
  }

  async #ensure(command: Ensure): Promise<void> {
    const { serverId, generation } = command;
    const verdict = this.#ledger.judge(serverId, command);
    if (verdict === 'older') return this.#refuse(command);
    const held = this.#ledger.get(serverId);
    if (verdict === 'same' && held && !mayTryAgain(held)) return this.#answer(held);
    await this.#ledger.put(this.#taken(command, held));
    const current = this.#running.get(serverId);
    if (current && !current.job.aborted && generation <= current.job.generation)
      return this.#answer(this.#ledger.get(serverId)!);
    current?.job.abort();
    this.#begin(serverId, generation);
  }

  async #idle(serverId: string): Promise<void> {
    for (let job = this.#running.get(serverId); job; job = this.#running.get(serverId)) await job.ended;
  }

  #taken(command: Ensure, before: Held | undefined): Held {
    const { serverId, fence, seq, generation } = command;
    return {
      serverId,
      fence,
      seq,
      generation,
      phase: 'busy',
      power: before?.power ?? 'absent',
      reboots: before?.reboots,
      wanted: before?.wanted,
      interrupted: before?.interrupted,
      atMs: this.#now(),
    };
  }

  /** Starts a job, or has it start when the one before has ended. */
  #begin(serverId: string, generation: number): void {
    if (this.#stopped) return;
    const before = this.#running.get(serverId);
    const { driver, compute, log, patienceMs = 120_000 } = this.#options;
    const isFirst = (pair: Pair) => this.#isFirst(serverId, pair);
    const job = new ServerJob(serverId, generation, { driver, compute, log, patienceMs, isFirst });
    const requestId = currentContext()?.requestId ?? newRequestId();
    const ended = runInContext({ requestId }, async () => {
      await before?.ended;
      if (!job.aborted) await this.#work(job);
      if (this.#running.get(serverId)?.job === job) this.#running.delete(serverId);
    });
    this.#running.set(serverId, { job, ended });
  }

  async #work(job: ServerJob): Promise<void> {
    const { serverId } = job;
    const tellBusy = () => this.#detached(() => this.#answer(this.#ledger.get(serverId)!, job.trouble));
    const timer = setTimeout(tellBusy, BUSY_AFTER_MS);
    try {
      const outcome = await job.run(
        () => this.#ledger.get(serverId)?.reboots,
        (spec) => this.#noteSpec(spec),
        tellBusy,
      );
      clearTimeout(timer);
      if (outcome) await this.#finish(job, outcome);
    } catch (error) {
      this.#options.log.error({ err: error, serverId }, 'a job broke; compute will ask again');
    } finally {
      clearTimeout(timer);
    }
  }

  /** The spec may belong to a newer command than the one that made us fetch it. */
  async #noteSpec(spec: ServerSpec): Promise<void> {
    const held = this.#ledger.get(spec.serverId)!;
    const pair: Pair = comparePairs(spec, held) > 0 ? spec : held;
    if (pair === held && spec.generation <= held.generation) return;
    const generation = Math.max(spec.generation, held.generation);
    await this.#ledger.put({ ...held, fence: pair.fence, seq: pair.seq, generation });
  }

  async #isFirst(serverId: string, pair: Pair): Promise<boolean> {
    const held = this.#ledger.get(serverId)!;
    if (held.interrupted && comparePairs(pair, held.interrupted) <= 0) return false;
    await this.#ledger.put({ ...held, interrupted: { fence: pair.fence, seq: pair.seq } });
    return true;
  }

  async #finish(job: ServerJob, outcome: JobOutcome): Promise<void> {
    const power = await this.#driver.power(job.serverId).catch(() => this.#ledger.get(job.serverId)!.power);
    const held = this.#ledger.get(job.serverId)!;
    // A newer command may just be on its way to the disk: what was done belongs to the one before it.
    if (job.aborted || held.generation > job.generation) return;
    const { phase, error, reboots = held.reboots, wanted = held.wanted } = outcome;
    await this.#ledger.put({ ...held, phase, error, power, reboots, wanted, atMs: this.#now() });
    await this.#answer(this.#ledger.get(job.serverId)!);
    // Nobody else tells of it: what changes while a job runs is no event by itself.
    if (outcome.ended) await this.#reporter.server({ ...this.#about(this.#ledger.get(job.serverId)!), event: true });
  }

  #refuse(command: Ensure): Promise<void> {
    const held = this.#ledger.get(command.serverId);
    const { fence, seq, generation } = command;
    this.#options.log.warn(
      { serverId: command.serverId, fence, seq, held },
      'a command that is older than what is held was refused',
    );
    return this.#reporter.server({
      ...this.#about(held ?? { ...this.#taken(command, undefined), fence: this.#ledger.highestFence() }),
      fence,
      seq,
      generation,
      outcome: 'refused',
    });
  }

  /** Reports what is recorded: the outcome, or that work is going on. */
  #answer(held: Held, trouble?: string): Promise<void> {
    const error = held.phase === 'busy' ? trouble : held.error;
    return this.#reporter.server({ ...this.#about(held), ...(error ? { error } : {}) });
  }

  #about(held: Held): ServerReport {
    return {
      type: 'server',
      node: this.name,
      serverId: held.serverId,
      fence: held.fence,
      seq: held.seq,
      generation: held.generation,
      power: held.power,
      event: false,
      outcome: held.phase,
      heldFence: held.fence,
      heldSeq: held.seq,
      rebootCount: held.reboots ?? 0,
      atMs: this.#now(),
    };
  }

  /** A domain changed outside of a job, while we watched: by its guest, by a crash, by an operator. */
  async #observe(serverId: string, why?: string): Promise<void> {
    const noted = await this.#note(serverId, why);
    if (noted) await this.#reporter.server({ ...this.#about(noted), event: true, ...(why ? { error: why } : {}) });
  }

  /** Writes down what a domain is now, if that is not what was held of it. */
  async #note(serverId: string, why?: string): Promise<Held | undefined> {
    if (this.#running.has(serverId) || !this.#ledger.get(serverId)) return undefined;
    const power = await this.#driver.power(serverId);
    const held = this.#ledger.get(serverId)!;
    if (this.#running.has(serverId) || held.power === power) return undefined;
    const noted = { ...held, power, atMs: this.#now() };
    await this.#ledger.put(noted);
    this.#options.log.info({ serverId, from: held.power, to: power, why }, 'a server changed by itself');
    return noted;
  }

  /**
   * After a start of ours or of the hypervisor: nobody saw what happened in between, so it is no event. A guest may have
   * gone down with the whole node; the digest tells compute, which starts again what should run.
   */
  async #observeAll(): Promise<void> {
    const powers = new Map((await this.#driver.list()).map((one): [string, PowerState] => [one.serverId, one.power]));
    let noted = 0;
    for (const held of this.#ledger.all())
      if ((powers.get(held.serverId) ?? 'absent') !== held.power && (await this.#note(held.serverId))) noted += 1;
    if (noted) await this.beat();
  }

  /** After the bus or compute was reached again: what waited, a beat, and commands that were missed. */
  async reconnected(): Promise<void> {
    await this.#reporter.flush();
    await this.beat();
    const desired = await this.#options.compute.listDesired();
    for (const one of desired) {
      const { serverId, fence, seq, generation } = one;
      if (this.#ledger.judge(serverId, one) === 'newer')
        await this.#ensure({ type: 'ensure', serverId, fence, seq, generation });
    }
  }

  async beat(): Promise<boolean> {
    const room = await this.#driver.room().catch(() => ({ freeDiskGb: 0, freeMemoryMb: 0 }));
    const { health } = this.#driver;
    const delivered = await this.#reporter.node({
      type: 'beat',
      node: this.name,
      ...this.#digest(),
      ...room,
      ...uptimeAndLoad(),
      highestFence: this.#ledger.highestFence(),
      ...(health === 'ok' ? {} : { trouble: health }),
      atMs: this.#now(),
    });
    if (delivered) await this.#reporter.flush();
    return delivered;
  }

  async full(): Promise<void> {
    const unknown = await this.unknown().catch((error: unknown) => [
      `the node can not be looked at: ${privateMessage(error)}`,
    ]);
    const servers = this.#present().map(({ serverId, power, fence, seq }) => ({ serverId, power, fence, seq }));
    const { digest } = this.#digest();
    await this.#reporter.node({ type: 'full', node: this.name, digest, servers, unknown, atMs: this.#now() });
  }

  /** What is on the node without our having been told of it: quarantined, that is reported and left alone. */
  async unknown(inventory?: Inventory): Promise<string[]> {
    const { domains, disks, foreign } = inventory ?? (await this.#driver.inventory());
    const known = (serverId: string): boolean => {
      const held = this.#ledger.get(serverId);
      return held !== undefined && (held.power !== 'absent' || held.phase === 'busy');
    };
    const strays = [
      ...domains.filter((one) => !known(one.serverId)).map((one) => `domain ${one.serverId}`),
      ...disks.filter((id) => !known(id)).map((id) => `disk ${id}`),
    ];
    return [...strays, ...foreign];
  }

  get servers(): number {
    return this.#present().length;
  }

  /** Fence held for a server; 0 when none is. */
  fenceOf(serverId: string): number {
    return this.#ledger.get(serverId)?.fence ?? 0;
  }

  #present(): Held[] {
    return this.#ledger.all().filter((held) => held.power !== 'absent');
  }

  #digest(): { digest: string; servers: number } {
    const present = this.#present();
    return { digest: nodeDigest(present), servers: present.length };
  }

  #detached(work: () => Promise<void>): void {
    void work().catch((error: unknown) => this.#options.log.warn({ err: error }, 'looking after a change failed'));
  }
}
