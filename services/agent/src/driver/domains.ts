/** libvirt's domains by server id: their power, their starts and stops. Knows nothing of disks and networks. */
import type { PowerState } from '#libs/contract';
import { delay, fail } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { isOurs } from '../domain/domain-xml.js';
import type { Libvirt } from '../libvirt/client.js';
import { isInvalidOperation, isNoDomain, LibvirtError, LibvirtUnreachable } from '../libvirt/errors.js';
import {
  DOMAIN_STATE,
  type DomainRef,
  type DomainStats,
  PROCEDURES,
  SHUTDOWN_ACPI,
  STATS,
  UNDEFINE,
} from '../libvirt/protocol.js';
import { Limiter } from './limiter.js';

/** Reasons of the state `shutoff` that mean a crash. */
const SHUTOFF_CRASHED = 3;
/** A guest's memory may be large and the disk slow. */
const SAVE_MS = 30 * 60_000;
const BUTTON_EVERY_MS = 3_000;
const LOOK_EVERY_MS = 500;
const UNDEFINE_ALL =
  UNDEFINE.managedSave | UNDEFINE.snapshotsMetadata | UNDEFINE.nvram | UNDEFINE.checkpointsMetadata | UNDEFINE.tpm;

export function powerOf(state: number, reason: number): PowerState {
  switch (state) {
    case DOMAIN_STATE.running:
    case DOMAIN_STATE.blocked:
    case DOMAIN_STATE.shutdown:
      return 'running';
    case DOMAIN_STATE.paused:
    case DOMAIN_STATE.pmsuspended:
      return 'paused';
    case DOMAIN_STATE.crashed:
      return 'crashed';
    default:
      return state === DOMAIN_STATE.shutoff && reason === SHUTOFF_CRASHED ? 'crashed' : 'stopped';
  }
}

/** libvirt's errors in the kernel's words. */
export function explained(error: unknown): unknown {
  if (error instanceof LibvirtUnreachable) return fail.unavailable('the hypervisor is not reached', { cause: error });
  if (error instanceof LibvirtError) return fail.conflict(`the hypervisor refused: ${error.message}`, { cause: error });
  return error;
}

export class Domains {
  readonly #libvirt: Libvirt;
  readonly #log: Log;
  readonly #heavy: Limiter;
  /** Wakes those who wait for a domain to change. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(libvirt: Libvirt, log: Log, parallel: number) {
    this.#libvirt = libvirt;
    this.#log = log;
    this.#heavy = new Limiter(parallel);
  }

  /** To be told of each lifecycle event. */
  changed(serverId: string): void {
    for (const wake of this.#waiting.get(serverId) ?? []) wake();
  }

  find(serverId: string): Promise<DomainRef | undefined> {
    return this.#told(
      this.#libvirt.call(PROCEDURES.lookupByUuid, { uuid: serverId }).catch((error: unknown) => {
        if (isNoDomain(error)) return undefined;
        throw error;
      }),
    );
  }

  async power(serverId: string): Promise<PowerState> {
    const domain = await this.find(serverId);
    return domain ? this.#powerOf(domain) : 'absent';
  }

  /** Ours with their power, and the names of all others. */
  async list(): Promise<{ ours: { serverId: string; power: PowerState }[]; others: string[] }> {
    const all = await this.#told(this.#libvirt.list());
    const ours = all.filter((one) => isOurs(one.name, one.uuid));
    const powers = await Promise.all(ours.map((one) => this.#powerOf(one)));
    return {
      ours: ours.map((one, n) => ({ serverId: one.uuid, power: powers[n]! })).filter((one) => one.power !== 'absent'),
      others: all.filter((one) => !isOurs(one.name, one.uuid)).map((one) => one.name),
    };
  }

  /** Defines and starts; a domain that runs already is left as it is. */
  async start(xml: string): Promise<void> {
    const domain = await this.#told(this.#libvirt.call(PROCEDURES.define, { xml, flags: 0 }));
    await this.#heavy.run(() => this.#tolerant(this.#libvirt.call(PROCEDURES.create, { domain, flags: 0 })));
  }

  /** Stops the guest's processors; its memory stays. */
  async pause(serverId: string): Promise<void> {
    const domain = await this.find(serverId);
    if (domain) await this.#tolerant(this.#libvirt.call(PROCEDURES.suspend, { domain }));
  }

  /** Writes the guest's memory to the disk and ends it. */
  async save(serverId: string): Promise<void> {
    const domain = await this.find(serverId);
    if (domain)
      await this.#heavy.run(() =>
        this.#tolerant(this.#libvirt.call(PROCEDURES.managedSave, { domain, flags: 0 }, SAVE_MS)),
      );
  }

  /** Forgets the memory that was written to the disk: the next start is a boot. */
  async forgetSaved(serverId: string): Promise<void> {
    const domain = await this.find(serverId);
    if (domain) await this.#tolerant(this.#libvirt.call(PROCEDURES.managedSaveRemove, { domain, flags: 0 }));
  }

  async resume(serverId: string): Promise<void> {
    const domain = await this.find(serverId);
    if (domain) await this.#tolerant(this.#libvirt.call(PROCEDURES.resume, { domain }));
  }

  /** What libvirt has counted of a domain, or nothing where it is gone; does not wait for what is being done to it. */
  async stats(serverId: string, groups: number): Promise<DomainStats> {
    const domain = await this.find(serverId);
    if (!domain) return new Map();
    const asked = { domain, stats: groups, flags: STATS.noWait };
    return this.#told(this.#libvirt.call(PROCEDURES.stats, asked));
  }

  /** Presses the power button until the guest is off; false when it was not in time. */
  async shutDown(serverId: string, withinMs: number, signal: AbortSignal): Promise<boolean> {
    const end = performance.now() + withinMs;
    let pressAt = 0;
    for (;;) {
      signal.throwIfAborted();
      const domain = await this.find(serverId);
      const power = domain ? await this.#powerOf(domain) : 'absent';
      if (!domain || power !== 'running') return power !== 'paused';
      const now = performance.now();
      if (now >= end) return false;
      if (now >= pressAt) {
        await this.#tolerant(this.#libvirt.call(PROCEDURES.shutdown, { domain, flags: SHUTDOWN_ACPI }));
        pressAt = now + BUTTON_EVERY_MS;
      }
      await this.#change(serverId, Math.min(LOOK_EVERY_MS, end - now), signal);
    }
  }

  /** Pulls the plug. */
  async destroy(serverId: string): Promise<void> {
    const domain = await this.find(serverId);
    if (domain)
      await this.#heavy.run(() => this.#tolerant(this.#libvirt.call(PROCEDURES.destroy, { domain, flags: 0 })));
  }

  async undefine(serverId: string): Promise<void> {
    const domain = await this.find(serverId);
    if (domain) await this.#tolerant(this.#libvirt.call(PROCEDURES.undefine, { domain, flags: UNDEFINE_ALL }));
  }

  /** Deletes the snapshots of that kind inside the disks of a guest that runs; libvirt knows of none of them. */
  async forgetSnapshots(serverId: string, isMeant: (name: string) => boolean): Promise<void> {
    const domain = await this.find(serverId);
    if (!domain) return;
    for (const { node, name } of snapshotsOf(await this.#monitor(domain, 'query-block'))) {
      if (!isMeant(name)) continue;
      await this.#monitor(domain, 'blockdev-snapshot-delete-internal-sync', { device: node, name });
    }
  }

  async #monitor(domain: DomainRef, execute: string, args?: object): Promise<unknown> {
    const command = JSON.stringify({ execute, ...(args ? { arguments: args } : {}) });
    const answer = JSON.parse(await this.#told(this.#libvirt.call(PROCEDURES.monitor, { domain, command }))) as {
      return?: unknown;
      error?: { desc: string };
    };
    if (answer.error) throw fail.unavailable(`the guest's monitor refused ${execute}: ${answer.error.desc}`);
    return answer.return;
  }

  async #powerOf(domain: DomainRef): Promise<PowerState> {
    try {
      const { state, reason } = await this.#libvirt.call(PROCEDURES.state, { domain, flags: 0 });
      const power = powerOf(state, reason);
      // libvirt forgets why a guest is off when it is started anew, and sees by the file alone that it was saved.
      const saved = power === 'stopped' && (await this.#libvirt.call(PROCEDURES.hasManagedSave, { domain, flags: 0 }));
      return saved ? 'suspended' : power;
    } catch (error) {
      if (isNoDomain(error)) return 'absent';
      throw explained(error);
    }
  }

  async #change(serverId: string, ms: number, signal: AbortSignal): Promise<void> {
    const wakes = this.#waiting.get(serverId) ?? new Set();
    this.#waiting.set(serverId, wakes);
    const woken = Promise.withResolvers<void>();
    wakes.add(woken.resolve);
    const done = new AbortController();
    await Promise.race([woken.promise, delay(ms, AbortSignal.any([signal, done.signal]))]);
    done.abort();
    wakes.delete(woken.resolve);
    if (!wakes.size) this.#waiting.delete(serverId);
  }

  async #told<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw explained(error);
    }
  }

  /** The domain being gone, or in the wanted state already, is what was wanted. */
  async #tolerant(call: Promise<unknown>): Promise<void> {
    try {
      await call;
    } catch (error) {
      if (!isNoDomain(error) && !isInvalidOperation(error)) throw explained(error);
      this.#log.debug({ err: error }, 'libvirt had nothing to do');
    }
  }
}

interface BlockDevice {
  readonly inserted?: { readonly 'node-name'?: string; readonly image?: { readonly snapshots?: { name: string }[] } };
}

/** The snapshots inside a guest's disks, by the answer to query-block. */
export const snapshotsOf = (devices: unknown): { node: string; name: string }[] =>
  (devices as BlockDevice[]).flatMap(({ inserted }) => {
    const node = inserted?.['node-name'];
    return node === undefined ? [] : (inserted?.image?.snapshots ?? []).map(({ name }) => ({ node, name }));
  });
