/** Which host processors a guest gets for its own. Pure: what is taken is given, what is chosen is returned. */
import type { HostCell } from './abilities.js';

export type ThreadPolicy = 'prefer' | 'isolate' | 'require';

export interface Chosen {
  /** One for each guest processor, in their order. */
  readonly cpus: readonly number[];
  /** Threads beside them that nobody else may have. */
  readonly blocked: readonly number[];
}

type Core = { readonly free: readonly number[]; readonly all: readonly number[] };

/** Undefined: the cell has not enough of them. Whole cores first, so that guests share as few as may be. */
export function chooseCpus(
  cell: HostCell,
  count: number,
  policy: ThreadPolicy,
  free: ReadonlySet<number>,
): Chosen | undefined {
  const cores = coresOf(cell, free);
  if (policy === 'isolate') {
    const whole = cores.filter((core) => core.free.length === core.all.length).slice(0, count);
    if (whole.length < count) return undefined;
    return { cpus: whole.map((core) => core.free[0]!), blocked: whole.flatMap((core) => core.free.slice(1)) };
  }
  const usable = policy === 'require' ? cores.filter((core) => core.free.length > 1) : cores;
  const cpus = usable.flatMap((core) => core.free).slice(0, count);
  return cpus.length < count ? undefined : { cpus, blocked: [] };
}

function coresOf(cell: HostCell, free: ReadonlySet<number>): Core[] {
  const cores = new Map<string, Core>();
  for (const { siblings } of cell.cpus) {
    const all = [...siblings].sort((a, b) => a - b);
    cores.set(all.join(), { all, free: all.filter((cpu) => free.has(cpu)) });
  }
  return [...cores.values()].filter((core) => core.free.length).sort((a, b) => b.free.length - a.free.length);
}
