/**
 * The interfaces of a guest that runs, made those of its spec: what is missing is plugged, what is too much is unplugged,
 * by the ids of their ports. A guest lets go of a device in its own time, or not at all: then it keeps it, and that is
 * said. The definition is not touched here: each start writes it anew.
 */
import { delay, fail } from '#libs/kernel';
import { type DomainInput, type DomainNic, interfaceXml } from '../domain/domain-xml.js';
import type { Libvirt } from '../libvirt/client.js';
import { LibvirtError } from '../libvirt/errors.js';
import { type DomainRef, PROCEDURES } from '../libvirt/protocol.js';
import type { Domains } from './domains.js';
import { explained } from './domains.js';

const LIVE = 1;
const ASK_EVERY_MS = 5_000;
const LOOK_EVERY_MS = 200;
const PATIENCE_MS = 30_000;

/** An interface as the running domain has it. */
export interface PluggedInterface {
  readonly portId: string;
  readonly mac: string;
}

/** Of libvirt's own XML, whose quotes and order are always the same. */
export function pluggedIn(xml: string): PluggedInterface[] {
  return [...xml.matchAll(/<interface [\s\S]*?<\/interface>/g)].flatMap(([text]) => {
    const portId = /interfaceid='([0-9a-f-]{36})'/.exec(text)?.[1];
    const mac = /<mac address='([0-9a-f:]{17})'/.exec(text)?.[1];
    return portId && mac ? [{ portId, mac }] : [];
  });
}

/** What an interface looks like on this node, in this guest's machine. */
export type Plugging = Pick<DomainInput, 'bridge' | 'hardware'>;

interface Wanted {
  readonly serverId: string;
  readonly nics: readonly DomainNic[];
}

export class Interfaces {
  constructor(
    private readonly libvirt: Libvirt,
    private readonly domains: Domains,
  ) {}

  /** Throws `conflict` where the hypervisor or the guest does not play along. */
  async follow({ serverId, nics }: Wanted, plugging: Plugging, signal: AbortSignal): Promise<void> {
    const domain = await this.domains.find(serverId);
    if (!domain) return;
    const plugged = await this.#plugged(domain);
    const wanted = new Set(nics.map((nic) => nic.portId));
    const has = new Set(plugged.map((one) => one.portId));
    for (const { portId, mac } of plugged)
      if (!wanted.has(portId)) await this.#unplug(domain, { portId, mac, mtu: 0 }, plugging, signal);
    for (const nic of nics) if (!has.has(nic.portId)) await this.#attach(domain, interfaceXml(nic, plugging));
  }

  async #plugged(domain: DomainRef): Promise<PluggedInterface[]> {
    return pluggedIn(await this.libvirt.call(PROCEDURES.xml, { domain, flags: 0 }));
  }

  async #unplug(domain: DomainRef, nic: DomainNic, plugging: Plugging, signal: AbortSignal): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (let askAt = 0; ; ) {
      signal.throwIfAborted();
      const now = performance.now();
      if (now >= askAt) {
        await this.#ask(domain, interfaceXml(nic, plugging));
        askAt = now + ASK_EVERY_MS;
      }
      if (!(await this.#plugged(domain)).some((one) => one.portId === nic.portId)) return;
      if (now >= end) throw fail.conflict('the guest does not let go of the interface');
      await delay(LOOK_EVERY_MS, signal);
    }
  }

  /** Asking again while the guest is at it is refused, which is no reason to stop waiting. */
  async #ask(domain: DomainRef, xml: string): Promise<void> {
    try {
      await this.libvirt.call(PROCEDURES.detachDevice, { domain, xml, flags: LIVE });
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw explained(error);
    }
  }

  async #attach(domain: DomainRef, xml: string): Promise<void> {
    try {
      await this.libvirt.call(PROCEDURES.attachDevice, { domain, xml, flags: LIVE });
    } catch (error) {
      throw explained(error);
    }
  }
}
