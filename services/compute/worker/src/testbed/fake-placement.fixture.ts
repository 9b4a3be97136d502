/** Placement as far as the flows meet it: capacity by memory, one claim per consumer, fences kept beyond release. */
import { placementV1 } from '#libs/contract';
import { fail } from '#libs/kernel';
import { FencedReceiver } from '#libs/testing';
import type { Placement } from '../peers.js';

interface Provider {
  readonly id: string;
  readonly name: string;
  memoryMb: number;
  disabled: string;
}

interface Held {
  readonly provider: string;
  readonly memoryMb: number;
}

const summaryOf = (rejections: readonly placementV1.Rejection[]): string =>
  rejections.map(({ providerName, reason }) => `${providerName} ${reason}`).join('; ') || 'There are no nodes';

export class FakePlacement implements Placement {
  readonly providers = new Map<string, Provider>();
  readonly claims = new FencedReceiver<Held>();
  readonly pulses = new Map<string, placementV1.Pulse>();
  /** Makes every call fail as if the service were away. */
  away = false;

  async ensureProvider(request: placementV1.EnsureProviderRequest): Promise<placementV1.EnsureProviderReply> {
    this.#reach();
    const memory = request.inventories.find((inventory) => inventory.resourceClass === 'MEMORY_MB');
    this.providers.set(request.providerId, {
      id: request.providerId,
      name: request.name,
      memoryMb: (memory?.total ?? 0) - (memory?.reserved ?? 0),
      disabled: request.disabled ? request.disabledReason : '',
    });
    return { generation: 1 };
  }

  async removeProvider({ providerId }: placementV1.RemoveProviderRequest): Promise<placementV1.RemoveProviderReply> {
    this.#reach();
    const name = this.providers.get(providerId)?.name;
    if (name !== undefined && this.usedOn(name) > 0) throw fail.conflict('Resource provider has allocations.');
    this.providers.delete(providerId);
    return {};
  }

  async claim(request: placementV1.ClaimRequest): Promise<placementV1.ClaimReply> {
    this.#reach();
    const { consumerId, fence, seq, excludeProviderIds } = request;
    if (request.inPlace) return this.#inPlace(request);
    const needed = request.resources.find((amount) => amount.resourceClass === 'MEMORY_MB')?.amount ?? 0;
    const rejections: placementV1.Rejection[] = [];
    for (const provider of this.providers.values()) {
      const reason = this.#refusal(provider, needed, excludeProviderIds, consumerId);
      if (reason === undefined) {
        this.claims.set(consumerId, { fence, n: seq }, { provider: provider.name, memoryMb: needed });
        const claimed = { providerId: provider.id, providerName: provider.name, alternateNames: [] };
        return { claimed, rejections: [], summary: '' };
      }
      rejections.push({ providerId: provider.id, providerName: provider.name, reason });
    }
    return { claimed: undefined, rejections, summary: summaryOf(rejections) };
  }

  async tellPulses({ pulses }: placementV1.TellPulsesRequest): Promise<placementV1.TellPulsesReply> {
    this.#reach();
    for (const pulse of pulses) this.pulses.set(pulse.providerId, pulse);
    return {};
  }

  async release({ consumerId, fence, seq }: placementV1.ReleaseRequest): Promise<placementV1.ReleaseReply> {
    this.#reach();
    this.claims.set(consumerId, { fence, n: seq }, undefined);
    return {};
  }

  /** MB of memory that a server holds. */
  memoryOf(serverId: string): number | undefined {
    return this.claims.get(serverId)?.memoryMb;
  }

  /** The node on which a server holds its claim. */
  claimOf(serverId: string): string | undefined {
    return this.claims.get(serverId)?.provider;
  }

  usedOn(node: string): number {
    const held = this.claims.present().map((id) => this.claims.get(id)!);
    return held.filter((claim) => claim.provider === node).reduce((sum, claim) => sum + claim.memoryMb, 0);
  }

  /** The consumer stays; only more memory than it holds, or a trait that no node here has, can be refused. */
  #inPlace({ consumerId, fence, seq, resources, requiredTraits }: placementV1.ClaimRequest): placementV1.ClaimReply {
    const held = this.claims.get(consumerId);
    const provider = held && [...this.providers.values()].find(({ name }) => name === held.provider);
    if (!provider) return { claimed: undefined, rejections: [], summary: '' };
    const memoryMb = resources.find((amount) => amount.resourceClass === 'MEMORY_MB')?.amount ?? 0;
    const [trait] = requiredTraits;
    const reason = trait
      ? `lacks the required trait ${trait}`
      : memoryMb > held.memoryMb
        ? this.#refusal(provider, memoryMb, [], consumerId)
        : undefined;
    const { id: providerId, name: providerName } = provider;
    if (reason !== undefined)
      return { claimed: undefined, rejections: [{ providerId, providerName, reason }], summary: '' };
    this.claims.set(consumerId, { fence, n: seq }, { provider: providerName, memoryMb });
    return { claimed: { providerId, providerName, alternateNames: [] }, rejections: [], summary: '' };
  }

  #refusal(provider: Provider, needed: number, excluded: readonly string[], consumer: string): string | undefined {
    if (excluded.includes(provider.id)) return 'it was tried before';
    if (provider.disabled) return provider.disabled;
    const own = this.claimOf(consumer) === provider.name ? this.claims.get(consumer)!.memoryMb : 0;
    const free = provider.memoryMb - this.usedOn(provider.name) + own;
    return needed > free ? `needs ${needed} MB of memory, ${free} MB free` : undefined;
  }

  #reach(): void {
    if (this.away) throw fail.unavailable('placement is away');
  }
}
