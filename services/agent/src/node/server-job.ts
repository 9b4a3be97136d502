/**
 * Makes one server what compute wants it to be, trying again while that makes sense. A job belongs to a generation of
 * the desired state; a command of a newer generation aborts it, a newer command of the same generation only moves the
 * pair under which it answers.
 */
import type { computeV1 } from '#libs/contract';
import { delay, fail, isFailure, privateMessage } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { HypervisorDriver, ServerSpec } from '../driver/driver.js';
import type { Pair } from '../fence/ledger.js';
import type { ComputePort } from './ports.js';

export interface JobOutcome {
  readonly phase: 'done' | 'failed';
  readonly error?: string;
  /** Reboots that are now carried out. */
  readonly reboots?: number;
  /** Power that the spec asked for. */
  readonly wanted?: string;
  /** The guest ended by itself while its disk was copied. */
  readonly ended?: boolean;
}

export interface JobDeps {
  readonly driver: HypervisorDriver;
  readonly compute: ComputePort;
  readonly log: Log;
  /** Milliseconds after which a server that cannot be made running or stopped is given up; removal never is. */
  readonly patienceMs: number;
  /** Notes durably that an interrupt is sent under that pair; false when that was noted before. */
  isFirst(pair: Pair): Promise<boolean>;
}

/** Whatever keeps compute from telling, it is no verdict about the server. */
const comesBack = (cause: unknown): never => {
  throw fail.unavailable('compute does not tell what the server should be', { cause });
};

export class ServerJob {
  readonly serverId: string;
  /** Of the desired state this job works towards; rises when the spec that was fetched is newer than the command. */
  generation: number;
  /** What stands in the way right now, while the job tries again. */
  trouble: string | undefined;
  readonly #deps: JobDeps;
  readonly #abort = new AbortController();
  readonly #began = performance.now();
  #wanted: string | undefined;
  /** The guest has been seen running while its disk was to be copied. */
  #ran = false;

  constructor(serverId: string, generation: number, deps: JobDeps) {
    this.serverId = serverId;
    this.generation = generation;
    this.#deps = deps;
  }

  get aborted(): boolean {
    return this.#abort.signal.aborted;
  }

  abort(): void {
    this.#abort.abort(new Error('superseded by a newer command'));
  }

  /** Resolves with undefined when it was aborted. Never throws. `onSpec` runs before anything is done for a spec. */
  async run(
    reboots: () => number | undefined,
    onSpec: (spec: ServerSpec) => Promise<void>,
    onTrouble: () => void,
  ): Promise<JobOutcome | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return { ...(await this.#attempt(reboots(), onSpec)), ended: await this.#hasEnded() };
      } catch (error) {
        if (this.aborted) return undefined;
        if (!this.#worthAnotherTry(error)) return { ...this.#failed(error), ended: await this.#hasEnded() };
        this.trouble = privateMessage(error);
        this.#deps.log.warn(
          { reason: this.trouble, serverId: this.serverId, attempt },
          'a server is not ready yet; trying again',
        );
        onTrouble();
        await delay(Math.min(200 * 2 ** Math.min(attempt - 1, 4), 2_000) * (0.5 + Math.random()), this.#abort.signal);
        if (this.aborted) return undefined;
      }
    }
  }

  /** True when the guest ran when its disk was to be copied, and is off by now. */
  async #hasEnded(): Promise<boolean> {
    const power = this.#ran ? await this.#deps.driver.power(this.serverId).catch(() => undefined) : undefined;
    return power === 'stopped' || power === 'crashed';
  }

  #worthAnotherTry(error: unknown): boolean {
    if (!isFailure(error, 'unavailable')) return false;
    return this.#wanted === 'absent' || performance.now() - this.#began < this.#deps.patienceMs;
  }

  #failed(error: unknown): JobOutcome {
    this.#deps.log.error({ err: error, serverId: this.serverId }, 'a server can not be made what it should be');
    const text = isFailure(error) ? error.message : privateMessage(error);
    return { phase: 'failed', error: text, ...(this.#wanted ? { wanted: this.#wanted } : {}) };
  }

  async #attempt(reboots: number | undefined, onSpec: (spec: ServerSpec) => Promise<void>): Promise<JobOutcome> {
    const { driver, compute } = this.#deps;
    const spec = await compute.getSpec(this.serverId).catch(comesBack);
    this.#abort.signal.throwIfAborted();
    if (!spec) return this.#withoutSpec();
    if (spec.generation < this.generation) throw fail.unavailable('compute does not show the commanded state yet');
    this.generation = spec.generation;
    this.#wanted = spec.power;
    await onSpec(spec);
    this.#abort.signal.throwIfAborted();
    if (spec.power === 'absent') await driver.ensureAbsent(this.serverId);
    else if (spec.power === 'stopped') await driver.ensureStopped(spec, this.#abort.signal);
    else if (spec.power === 'paused') await driver.ensurePaused(spec, this.#abort.signal);
    else if (spec.power === 'suspended') await driver.ensureSuspended(spec, this.#abort.signal);
    else await this.#running(spec, reboots);
    if (spec.export && spec.power !== 'absent') await driver.exportDisk(spec, this.#abort.signal);
    if (spec.errand && spec.power !== 'absent') await this.#errand(spec, spec.errand);
    return { phase: 'done', reboots: spec.rebootCount, wanted: spec.power };
  }

  /** An interrupt is noted before it is sent: it is never sent twice, whatever dies in between. */
  async #errand({ serverId, fence, seq }: ServerSpec, { kind, user, password }: computeV1.Errand): Promise<void> {
    const { driver, isFirst } = this.#deps;
    if (kind === 'password') return driver.setPassword(serverId, user, password, this.#abort.signal);
    if (kind !== 'interrupt') throw fail.conflict(`this agent knows nothing of the errand ${kind.slice(0, 20)}`);
    if (await isFirst({ fence, seq })) await driver.interrupt(serverId);
  }

  /** A guest that has ended by itself since its disk was to be copied stays off, and is copied as it is. */
  async #running(spec: ServerSpec, reboots: number | undefined): Promise<void> {
    const { driver } = this.#deps;
    if (reboots !== undefined && spec.rebootCount > reboots)
      return driver.reboot(spec, spec.rebootKind === 'HARD' ? 'HARD' : 'SOFT', this.#abort.signal);
    if (spec.export && (await this.#hasEnded())) return;
    await driver.ensureRunning(spec, this.#abort.signal);
    this.#ran = spec.export !== undefined;
  }

  /** A domain that compute does not know is left alone: it shows up as unknown, and nobody destroys it here. */
  async #withoutSpec(): Promise<JobOutcome> {
    if ((await this.#deps.driver.power(this.serverId)) === 'absent') return { phase: 'done' };
    return { phase: 'failed', error: 'compute knows of no such server here; what is there is left alone' };
  }
}
