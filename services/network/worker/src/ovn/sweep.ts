/** Everything that a full comparison looks at: all that is in the books, then all rows of ours that stand for nothing. */
import type { Replica } from '#libs/platform/ovsdb';
import type { MarkKind, NetworkBooks } from '#services/network/data';
import { KIND, OWNER } from '#services/network/domain';
import { REALIZERS } from './desired.js';
import type { Northbound } from './northbound.js';
import type { Subject } from './realizer.js';

/** All subjects in pieces. A row of ours whose id is not in the books is a subject too: it is found to be gone. */
export async function* sweepSubjects(
  books: NetworkBooks,
  replica: Replica<Northbound>,
  piece: number,
): AsyncGenerator<Subject[]> {
  const kinds = [...new Set(REALIZERS.flatMap((realizer) => realizer.kinds))];
  const known = new Map<MarkKind, Set<string>>(kinds.map((kind) => [kind, new Set()]));
  for (const kind of kinds) {
    for await (const ids of books.dirty.allIds(kind, piece)) {
      for (const id of ids) known.get(kind)?.add(id);
      yield ids.map((id) => ({ kind, id }));
    }
  }
  for (const { table, kind, marks } of REALIZERS.flatMap((realizer) => realizer.rows)) {
    const strays: Subject[] = [];
    for (const row of replica.table(table).values()) {
      const mark = row.external_ids.get(KIND);
      const id = row.external_ids.get(OWNER) ?? row._uuid;
      if (mark !== undefined && marks.includes(mark) && !known.get(kind)?.has(id)) strays.push({ kind, id });
    }
    for (let at = 0; at < strays.length; at += piece) yield strays.slice(at, at + piece);
  }
}

/** The port groups of ours that hold each port. */
export function membership(replica: Replica<Northbound>): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const group of replica.table('Port_Group').values()) {
    if (!group.external_ids.has(KIND)) continue;
    for (const port of group.ports) {
      const known = groups.get(port);
      if (known) known.push(group._uuid);
      else groups.set(port, [group._uuid]);
    }
  }
  return groups;
}
