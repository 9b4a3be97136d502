/** What makes one node better than another that would do as well. Lower is better; each part is weighed by its multiplier. */
import type { Amounts } from './inventory.js';
import type { Provider } from './provider.js';
import type { NodeRequest, Pulse, World } from './selection-request.js';

export interface Weights {
  /** How full the fullest of the wanted classes would be, 0 to 1. Below zero packs servers instead of spreading them. */
  readonly spread: number;
  /** How full processors, memory and disk would be, each by itself. */
  readonly cpu: number;
  readonly ram: number;
  readonly disk: number;
  /** How busy its processors really are, 0 to 2. */
  readonly load: number;
  /** For each server of the group that is there already. */
  readonly affinity: number;
  /** For each server that failed to start there lately, three at most; it fades. */
  readonly failures: number;
}

export const DEFAULT_WEIGHTS: Weights = { spread: 1, cpu: 0, ram: 0, disk: 0, load: 0.5, affinity: 2, failures: 2 };

/** A node that failed builds is as good as any other after this. */
export const FAILURES_FADE_MS = 600_000;
const MOST_FAILURES = 3;
const MOST_LOAD = 2;

type Weigher = (provider: Provider) => number;

function fullnessOf(provider: Provider, name: string, amount: number): number {
  const room = provider.room(name);
  return room ? (room.used + amount) / room.capacity : 0;
}

/** The weigher of a request, with only the parts that count in it. */
export function weigherFor(request: NodeRequest, world: World, weights: Weights): Weigher {
  const parts: Weigher[] = [];
  const wanted = Object.entries(request.resources);
  if (weights.spread)
    parts.push((p) => weights.spread * wanted.reduce((most, [n, a]) => Math.max(most, fullnessOf(p, n, a)), 0));
  const single: readonly (readonly [string, number])[] = [
    ['VCPU', weights.cpu],
    ['MEMORY_MB', weights.ram],
    ['DISK_GB', weights.disk],
  ];
  for (const [name, weight] of single) {
    const amount = amountOf(request.resources, name);
    if (weight) parts.push((p) => weight * fullnessOf(p, name, amount));
  }
  if (world.pulses.size) parts.push((p) => pulseWeight(world.pulses.get(p.id), world.now, weights));
  const perSeat = seatWeight(request) * weights.affinity;
  if (perSeat && world.seats.size) parts.push((p) => perSeat * (world.seats.get(p.id) ?? 0));
  return (provider) => {
    let sum = 0;
    for (const part of parts) sum += part(provider);
    return sum;
  };
}

const amountOf = (resources: Amounts, name: string): number => resources[name] ?? 0;

/** Servers of the group attract or push away. */
function seatWeight({ group }: NodeRequest): number {
  if (!group) return 0;
  return group.policy === 'affinity' || group.policy === 'soft-affinity' ? -1 : 1;
}

function pulseWeight(pulse: Pulse | undefined, now: Date, { load, failures }: Weights): number {
  if (!pulse) return 0;
  const age = pulse.failedAt ? now.getTime() - pulse.failedAt.getTime() : FAILURES_FADE_MS;
  const fresh = Math.max(0, Math.min(1, 1 - age / FAILURES_FADE_MS));
  return load * Math.min(MOST_LOAD, pulse.load) + failures * Math.min(MOST_FAILURES, pulse.failures) * fresh;
}
