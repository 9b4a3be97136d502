/** One resource provider as a snapshot holds it: immutable, replaced as a whole when its generation rises. */
import { type Amounts, capacityOf, type Inventories } from './inventory.js';

/** What a node is, beside its inventory. */
export interface NodeProfile {
  /** Metadata of the operator's aggregates that it is in: every value that a key has in any of them. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  /** Its make, as it told; several values stand with spaces between them. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Empty where it told of none. */
  readonly numa: readonly { readonly cpus: number; readonly memoryMb: number }[];
}
export const NO_PROFILE: NodeProfile = { labels: {}, attributes: {}, numa: [] };

export interface ProviderFacts {
  readonly id: string;
  readonly name: string;
  /** Rises with every change; a newer one replaces an older one, never the other way round. */
  readonly generation: number;
  readonly parentId: string | null;
  readonly rootId: string;
  readonly inventories: Inventories;
  readonly used: Amounts;
  readonly traits: readonly string[];
  readonly aggregates: readonly string[];
  /** A compute node that compute told us of; only such are given to servers. */
  readonly isNode: boolean;
  /** Why it takes nothing at the moment, or null. */
  readonly disabledReason: string | null;
  readonly zone: string;
  readonly profile: NodeProfile;
  readonly updatedAt: Date;
}

/** Room of one class. */
export interface Room {
  readonly capacity: number;
  readonly used: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

export class Provider {
  readonly traits: ReadonlySet<string>;
  readonly aggregates: ReadonlySet<string>;
  readonly #rooms = new Map<string, Room>();

  constructor(readonly facts: ProviderFacts) {
    this.traits = new Set(facts.traits);
    this.aggregates = new Set(facts.aggregates);
    for (const [name, inventory] of Object.entries(facts.inventories)) {
      const { min_unit: min, max_unit: max, step_size: step } = inventory;
      this.#rooms.set(name, { capacity: capacityOf(inventory), used: facts.used[name] ?? 0, min, max, step });
    }
  }

  get id(): string {
    return this.facts.id;
  }

  get name(): string {
    return this.facts.name;
  }

  get rooms(): ReadonlyMap<string, Room> {
    return this.#rooms;
  }

  room(resourceClass: string): Room | undefined {
    return this.#rooms.get(resourceClass);
  }

  /** Whether so much of one class can be taken now. */
  takes(resourceClass: string, amount: number): boolean {
    const room = this.#rooms.get(resourceClass);
    return room !== undefined && room.used + amount <= room.capacity && inUnits(room, amount);
  }
}

export const inUnits = (room: Room, amount: number): boolean =>
  amount >= room.min && amount <= room.max && amount % room.step === 0;
