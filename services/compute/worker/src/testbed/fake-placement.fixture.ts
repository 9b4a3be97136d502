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

export class FakePlacement implements Placement {
  readonly providers = new Map<string, Provider>();
  readonly claims = new FencedReceiver<Held>();
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

  async claim(request: placementV1.ClaimRequest): Promise<placementV1.ClaimReply> {
    this.#reach();
    const { consumerId, fence, seq, excludeProviderIds } = request;
    const needed = request.resources.find((amount) => amount.resourceClass === 'MEMORY_MB')?.amount ?? 0;
    const rejections: placementV1.Rejection[] = [];
    for (const provider of this.providers.values()) {
      const reason = this.#refusal(provider, needed, excludeProviderIds, consumerId);
      if (reason === undefined) {
        this.claims.set(consumerId, { fence, n: seq }, { provider: provider.name, memoryMb: needed });
        const claimed = { providerId: provider.id, providerName: provider.name, alternateNames: [] };
        return { claimed, rejections: [] };
      }
      rejections.push({ providerId: provider.id, providerName: provider.name, reason });
    }
    return { claimed: undefined, rejections };
  }

  async release({ consumerId, fence, seq }: placementV1.ReleaseRequest): Promise<placementV1.ReleaseReply> {
    this.#reach();
    this.claims.set(consumerId, { fence, n: seq }, undefined);
    return {};
  }

  /** The node on which a server holds its claim. */
  claimOf(serverId: string): string | undefined {
    return this.claims.get(serverId)?.provider;
  }

  usedOn(node: string): number {
    const held = this.claims.present().map((id) => this.claims.get(id)!);
    return held.filter((claim) => claim.provider === node).reduce((sum, claim) => sum + claim.memoryMb, 0);
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
