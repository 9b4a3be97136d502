/** What may be delegated: an application credential or a trust never carries more than its maker holds. */
import { fail } from '#libs/kernel';
import type { RoleGraph } from './role-graph.js';

/** By id or by name. */
export interface RoleRef {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
}

/** The ids of the wanted roles (all that are held, where none are named), each of which must be held. */
export function delegatedRoles(
  wanted: readonly RoleRef[] | undefined,
  heldIds: readonly string[],
  graph: RoleGraph,
): readonly string[] {
  const held = graph.closure(heldIds);
  if (wanted === undefined) return heldIds;
  const ids = wanted.map((ref) => {
    const role =
      ref.id === undefined
        ? graph.roles.find((candidate) => candidate.name === ref.name && candidate.domainId === undefined)
        : graph.role(ref.id);
    if (!role || !held.has(role.id)) throw fail.invalid('Only roles that are held in the project can be delegated.');
    return role.id;
  });
  if (!ids.length) throw fail.invalid('At least one role must be delegated.');
  return [...new Set(ids)];
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]00:?00)?$/;

/** A client's UTC time as `YYYY-MM-DDTHH:MM:SS.ffffff`; refuses anything else, and what has passed. */
export function futureTime(text: string, nowMs: number): string {
  const parts = TIME.exec(text);
  const seconds = parts ? Date.parse(`${parts[1]}Z`) : Number.NaN;
  if (!parts || Number.isNaN(seconds)) throw fail.invalid(`${JSON.stringify(text.slice(0, 64))} is no time in UTC.`);
  if (seconds <= nowMs) throw fail.invalid('The time of expiry must lie in the future.');
  return `${parts[1]}.${(parts[2] ?? '').padEnd(6, '0')}`;
}

/** Milliseconds since the epoch of what `futureTime` returned. */
export const timeMs = (text: string): number => Date.parse(`${text.slice(0, 23)}Z`);
