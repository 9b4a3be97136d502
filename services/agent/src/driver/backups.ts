/**
 * libvirt's backup job: a running domain's disk as it is at one moment, the whole chain in one file, while the guest goes
 * on. A job belongs to the domain, not to the agent: one that an earlier agent began is ended before another begins.
 */
import { delay, fail } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { element, toXml } from '../domain/xml.js';
import type { Libvirt } from '../libvirt/client.js';
import { isInvalidOperation, isNoDomain, LibvirtError } from '../libvirt/errors.js';
import { AGENT_SECONDS, type DomainRef, JOB, PROCEDURES } from '../libvirt/protocol.js';
import { explained, powerOf } from './domains.js';

/** Whether the guest's file systems stand still for the moment at which the copy is taken. */
export type Quiesce = '' | 'try' | 'require';

const FIRST_LOOK_MS = 50;
const LOOK_MS = 500;
const END_MS = 10_000;
const GOING_MS = 1_000;

/** By what name a domain knows the disk of that file. Pure; the XML is libvirt's own. */
export function targetOf(domainXml: string, file: string): string {
  const disks = [...domainXml.matchAll(/<disk\b[\s\S]*?<\/disk>/g)].map(([text]) => text);
  const disk = disks.find((text) => text.includes(`<source file='${file}'`));
  const target = /<target dev='([a-z]+)'/.exec(disk ?? '')?.[1];
  if (!target) throw fail.conflict('the guest does not have its disk');
  return target;
}

/** Pure: one disk alone goes into the file. */
export const backupXml = (target: string, path: string): string =>
  toXml(
    element(
      'domainbackup',
      { mode: 'push' },
      element(
        'disks',
        {},
        element(
          'disk',
          { name: target, backup: 'yes', type: 'file' },
          element('driver', { type: 'qcow2' }),
          element('target', { file: path }),
        ),
      ),
    ),
  );

export class Backups {
  readonly #libvirt: Libvirt;
  readonly #log: Log;

  constructor(libvirt: Libvirt, log: Log) {
    this.#libvirt = libvirt;
    this.#log = log;
  }

  /** Copies a disk of a running domain into a new file. Throws `unavailable` where the domain stopped meanwhile. */
  async run(domain: DomainRef, disk: string, path: string, quiesce: Quiesce, signal: AbortSignal): Promise<void> {
    try {
      const target = targetOf(await this.#libvirt.call(PROCEDURES.xml, { domain, flags: 0 }), disk);
      await this.#begin(domain, backupXml(target, path), quiesce);
      await this.#untilEnd(domain, signal);
    } catch (error) {
      // Whatever is said of a machine that is going: the monitor's end may come long before libvirt knows that it is off.
      if (!signal.aborted && (isMonitorGone(error) || (await this.#goesOff(domain)))) throw stopped(error);
      await this.end(domain).catch((trouble: unknown) => {
        throw stopped(trouble);
      });
      throw isNoDomain(error) || isInvalidOperation(error) ? stopped(error) : explained(error);
    }
  }

  /** True when the domain is off within a moment. */
  async #goesOff(domain: DomainRef): Promise<boolean> {
    for (const until = performance.now() + GOING_MS; ; await delay(FIRST_LOOK_MS)) {
      try {
        const { state, reason } = await this.#libvirt.call(PROCEDURES.state, { domain, flags: 0 });
        if (['stopped', 'crashed'].includes(powerOf(state, reason))) return true;
      } catch (error) {
        return isNoDomain(error);
      }
      if (performance.now() >= until) return false;
    }
  }

  /** Ends a backup that is under way; any other job is left alone. */
  async end(domain: DomainRef): Promise<void> {
    const until = performance.now() + END_MS;
    try {
      while ((await this.#isActive(domain)) && performance.now() < until) {
        await this.#libvirt.call(PROCEDURES.abortJob, { domain });
        await delay(FIRST_LOOK_MS);
      }
    } catch (error) {
      if (!isNoDomain(error) && !isInvalidOperation(error)) throw explained(error);
    }
  }

  async #begin(domain: DomainRef, xml: string, quiesce: Quiesce): Promise<void> {
    const frozen = quiesce !== '' && (await this.#freeze(domain, quiesce));
    try {
      await this.#libvirt.call(PROCEDURES.backupBegin, { domain, xml, flags: 0 });
    } finally {
      if (frozen) await this.thaw(domain);
    }
  }

  async #freeze(domain: DomainRef, quiesce: Quiesce): Promise<boolean> {
    try {
      await this.#libvirt.call(PROCEDURES.agentTimeout, { domain, seconds: AGENT_SECONDS, flags: 0 });
      await this.#libvirt.call(PROCEDURES.freeze, { domain, flags: 0 });
      return true;
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      // It may have been frozen all the same, its answer late.
      await this.thaw(domain);
      if (quiesce === 'require')
        throw fail.conflict(`the guest's file systems can not be frozen: ${error.message}`, { cause: error });
      this.#log.warn({ err: error, serverId: domain.uuid }, 'the guest is copied without freezing its file systems');
      return false;
    }
  }

  /** For a guest that may have been left frozen; one that is not, or has no agent, is left as it is. */
  async thaw(domain: DomainRef): Promise<void> {
    await this.#libvirt.call(PROCEDURES.thaw, { domain, flags: 0 }).catch((error: unknown) => {
      if (!(error instanceof LibvirtError)) throw error;
      this.#log.debug({ err: error, serverId: domain.uuid }, 'there was nothing to thaw');
    });
  }

  async #untilEnd(domain: DomainRef, signal: AbortSignal): Promise<void> {
    for (let pause = FIRST_LOOK_MS; await this.#isActive(domain); pause = Math.min(pause * 1.5, LOOK_MS)) {
      await delay(pause, signal);
      signal.throwIfAborted();
    }
    const { type, message } = await this.#libvirt.call(PROCEDURES.jobStats, { domain, flags: JOB.askCompleted });
    if (type === JOB.completed) return;
    if (/no space left/i.test(message)) throw Object.assign(new Error(message), { code: 'ENOSPC' });
    throw type === JOB.failed && message ? fail.conflict(`the disk could not be copied: ${message}`) : stopped(message);
  }

  async #isActive(domain: DomainRef): Promise<boolean> {
    const { type, operation } = await this.#libvirt.call(PROCEDURES.jobStats, { domain, flags: 0 });
    return operation === JOB.backup && (type === JOB.bounded || type === JOB.unbounded);
  }
}

const isMonitorGone = (error: unknown): boolean =>
  error instanceof LibvirtError && /\b(from|to) (qemu )?monitor\b/i.test(error.message);

const stopped = (cause: unknown) => fail.unavailable('the guest was switched off while its disk was copied', { cause });
