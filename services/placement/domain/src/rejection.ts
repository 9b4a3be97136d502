/**
 * Why a node did not get a server: one sentence about each node for its operator, and one for the tenant that counts nodes
 * alike and names what came nearest, without naming a node.
 */
import type { Amounts } from './inventory.js';
import { inUnits, type Provider, type Room } from './provider.js';

interface Wording {
  readonly needs: (amount: number) => string;
  readonly has: (amount: number) => string;
}

const WORDS: Readonly<Record<string, Wording>> = {
  VCPU: { needs: (n) => `${n} VCPU${n === 1 ? '' : 's'}`, has: (n) => `${n}` },
  PCPU: { needs: (n) => `${n} dedicated processor${n === 1 ? '' : 's'}`, has: (n) => `${n}` },
  MEMORY_MB: { needs: (n) => `${n} MB of memory`, has: (n) => `${n} MB` },
  DISK_GB: { needs: (n) => `${n} GB of disk`, has: (n) => `${n} GB` },
};

const words = (resourceClass: string): Wording =>
  WORDS[resourceClass] ?? { needs: (n) => `${n} of ${resourceClass}`, has: (n) => `${n}` };

/** Of one node, and of several. */
export type Verb = readonly [one: string, many: string];
export const IS: Verb = ['is', 'are'];
export const HAS: Verb = ['has', 'have'];
const LACKS: Verb = ['lacks', 'lack'];

/** One node's no. */
export interface Refusal {
  readonly verb: Verb;
  /** Nodes with the same words are counted together. */
  readonly what: string;
  /** About this node alone, for its operator, where there is more to say. */
  readonly exact?: string;
  /** The units that are missing where nothing else is. */
  readonly missing?: Amounts;
}

export interface Rejection {
  readonly provider: Provider;
  /** The first filter that dropped it. */
  readonly filter: string;
  readonly refusal: Refusal;
}

export const reasonOf = ({ verb, what, exact }: Refusal): string => exact ?? `${verb[0]} ${what}`;

/** Why the amount does not go in, or undefined where it does. */
function roomRefusal(resourceClass: string, room: Room | undefined, amount: number): string | undefined {
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

type Wanted = readonly (readonly [resourceClass: string, amount: number])[];

/** Every class that does not go in, in one sentence. */
export function resourceRefusal(provider: Provider, wanted: Wanted): Refusal {
  const refusals = wanted.flatMap(([name, amount]) => roomRefusal(name, provider.room(name), amount) ?? []);
  const exact = refusals.join('; ');
  const absent = wanted.filter(([name]) => !provider.room(name)).map(([name]) => name);
  if (absent.length) return { verb: HAS, what: `no ${absent.join(' and no ')}`, exact };
  const missing = Object.fromEntries(
    wanted.flatMap(([name, amount]) => {
      const room = provider.room(name)!;
      const short = room.used + amount - room.capacity;
      return short > 0 ? [[name, Math.min(short, amount)]] : [];
    }),
  );
  if (!Object.keys(missing).length) return { verb: ['does', 'do'], what: 'not give such amounts at once', exact };
  return { verb: LACKS, what: Object.keys(missing).sort().join(), exact, missing };
}

/** Nodes that were dropped alike. */
export interface Tally {
  readonly filter: string;
  readonly nodes: number;
  /** With a verb that fits the number: "lack 512 MB of memory". */
  readonly text: string;
}

/** So many kinds of reasons are told; the rest are counted. */
const TOLD = 5;
const LONGEST = 160;

/** What dropped how many, that which came nearest first. */
export function tally(rejections: readonly Rejection[], wanted: Amounts): Tally[] {
  // Numbers in words ("no report for 31 s") do not make another reason.
  const alike = ({ filter, refusal }: Rejection): string => `${filter} ${refusal.what.replace(/\d+/g, '#')}`;
  const kinds = [...Map.groupBy(rejections, alike).values()].map((kind) => {
    const nearest = kind.reduce((a, b) => (shortfall(b, wanted) < shortfall(a, wanted) ? b : a));
    const { filter, refusal } = nearest;
    const verb = refusal.verb[kind.length === 1 ? 0 : 1];
    const what = refusal.missing ? missingText(kind, refusal.missing, wanted) : refusal.what;
    return { filter, nodes: kind.length, text: clipped(`${verb} ${what}`), near: shortfall(nearest, wanted) };
  });
  return kinds.sort((a, b) => a.near - b.near || b.nodes - a.nodes).map(({ near: _, ...kind }) => kind);
}

const clipped = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** How far a node was off, in parts of what was asked for; all that lack something else come after. */
function shortfall({ refusal }: Rejection, wanted: Amounts): number {
  if (!refusal.missing) return Number.MAX_SAFE_INTEGER;
  return Object.entries(refusal.missing).reduce((sum, [name, units]) => sum + units / (wanted[name] ?? units), 0);
}

function missingText(kind: readonly Rejection[], nearest: Amounts, wanted: Amounts): string {
  const order = Object.keys(wanted);
  const same = kind.every(({ refusal }) =>
    Object.entries(nearest).every(([name, units]) => refusal.missing?.[name] === units),
  );
  const classes = Object.entries(nearest).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  return `${same ? '' : 'at least '}${classes.map(([name, units]) => words(name).needs(units)).join(' and ')}`;
}

/** "2 nodes lack 512 MB of memory; 1 is disabled: maintenance" */
export function summaryOf(tallies: readonly Tally[]): string {
  if (!tallies.length) return 'There are no nodes';
  const count = (nodes: number, first: boolean): string =>
    first ? `${nodes} node${nodes === 1 ? '' : 's'}` : `${nodes}`;
  const told = tallies.slice(0, TOLD).map(({ nodes, text }, index) => `${count(nodes, index === 0)} ${text}`);
  const rest = tallies.slice(TOLD).reduce((sum, { nodes }) => sum + nodes, 0);
  return [...told, ...(rest ? [`${rest} more for other reasons`] : [])].join('; ');
}
