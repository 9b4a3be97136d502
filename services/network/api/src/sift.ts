/** Lists of few rows, sifted here and not by the database. */
import { FALSE, type Page, TRUE } from '#services/network/data';
import type { ListQuery } from './list.wire.js';

type Shown = Readonly<Record<string, unknown>>;

/** The page of the rows that match, by what is shown of them. */
export function sift<T extends { readonly id: string }>(
  rows: readonly T[],
  show: (row: T) => Shown,
  request: ListQuery,
): Page<T> {
  const sorted = rows
    .map((row) => ({ row, shown: show(row) }))
    .filter(({ shown }) => matches(shown, request))
    .sort((a, b) => order(a.shown, b.shown, request));
  if (request.reverse) sorted.reverse();
  const from = sorted.findIndex(({ row }) => row.id === request.marker) + 1;
  const rest = sorted.slice(from).map(({ row }) => row);
  const kept = rest.slice(0, request.limit ?? rest.length);
  return { rows: request.reverse ? kept.reverse() : kept, more: kept.length < rest.length };
}

function matches(shown: Shown, { filters }: ListQuery): boolean {
  return [...filters].every(([name, values]) => values.some((value) => means(value, shown[name])));
}

function means(text: string, value: unknown): boolean {
  if (typeof value === 'boolean') return (value ? TRUE : FALSE).has(text.toLowerCase());
  return text === String(value ?? '');
}

function order(a: Shown, b: Shown, { sorts }: ListQuery): number {
  for (const { field, direction } of [...sorts, { field: 'id', direction: 'asc' as const }]) {
    const [left, right] = [a[field], b[field]];
    const sign = typeof left === 'number' ? left - Number(right) : String(left).localeCompare(String(right));
    if (sign !== 0) return direction === 'asc' ? sign : -sign;
  }
  return 0;
}
