/** Why a node did not get a server, in words for its owner and its operator. */
import { inUnits, type Provider, type Room } from './provider.js';

interface Wording {
  readonly needs: (amount: number) => string;
  readonly has: (amount: number) => string;
}

const WORDS: Readonly<Record<string, Wording>> = {
  VCPU: { needs: (n) => `${n} VCPU${n === 1 ? '' : 's'}`, has: (n) => `${n}` },
  MEMORY_MB: { needs: (n) => `${n} MB of memory`, has: (n) => `${n} MB` },
  DISK_GB: { needs: (n) => `${n} GB of disk`, has: (n) => `${n} GB` },
};

const words = (resourceClass: string): Wording =>
  WORDS[resourceClass] ?? { needs: (n) => `${n} of ${resourceClass}`, has: (n) => `${n}` };

/** Why the amount does not go in, or undefined where it does. */
export function roomRefusal(resourceClass: string, room: Room | undefined, amount: number): string | undefined {
  const { needs, has } = words(resourceClass);
  if (!room) return `needs ${needs(amount)}, has no ${resourceClass}`;
  if (room.used + amount > room.capacity) {
    return `needs ${needs(amount)}, ${has(Math.max(0, room.capacity - room.used))} free`;
  }
  if (inUnits(room, amount)) return undefined;
  if (amount > room.max) return `needs ${needs(amount)}, gives ${has(room.max)} at most at once`;
  if (amount < room.min) return `needs ${needs(amount)}, gives ${has(room.min)} at least`;
  return `needs ${needs(amount)}, gives multiples of ${has(room.step)}`;
}

/** Every class that does not go in, in one sentence. */
export function resourceRefusal(
  provider: Provider,
  wanted: readonly (readonly [string, number])[],
): string | undefined {
  const refusals = wanted.map(([name, amount]) => roomRefusal(name, provider.room(name), amount)).filter(Boolean);
  return refusals.length ? refusals.join('; ') : undefined;
}
