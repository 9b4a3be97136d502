/** What the books want of OVN for a handful of resources, as one plan. */
import type { Sql } from '#libs/platform/db';
import type { MarkKind, NetworkBooks } from '#services/network/data';
import { KIND, type NbActual, NbPlan } from '#services/network/domain';
import { addressGroupRealizer } from './address-group.realizer.js';
import { qosRealizer } from './qos.realizer.js';
import type { PlanOptions, Realizer, Subject } from './realizer.js';
import { routerRealizer } from './router.realizer.js';
import { switchingRealizer } from './switching.realizer.js';

/** In the order in which a full comparison goes through their kinds. */
export const REALIZERS: readonly Realizer[] = [addressGroupRealizer, switchingRealizer, qosRealizer, routerRealizer];

const OWN_ROWS = REALIZERS.flatMap((realizer) => realizer.rows).filter((own) => own.byOwner !== true);

/**
 * A row that vanished does not tell any more whose it was: where one of that id stands for something else now, nobody
 * who is asked about it by mistake may take it for a leftover.
 */
function isMistaken({ kind, id }: Subject, actual: NbActual): boolean {
  return OWN_ROWS.some((own) => {
    const mark = own.kind === kind ? actual.row(own.table, id)?.external_ids.get(KIND) : undefined;
    return mark !== undefined && !own.marks.includes(mark);
  });
}

/** Plans the subjects as the books have them now. */
export async function planFor(
  books: NetworkBooks,
  on: Sql,
  subjects: readonly Subject[],
  actual: NbActual,
  options: PlanOptions,
): Promise<NbPlan> {
  const plan = new NbPlan(actual);
  const meant = subjects.filter((subject) => !isMistaken(subject, actual));
  const byKind = Map.groupBy(meant, (subject) => subject.kind);
  const ids = (kind: MarkKind): readonly string[] => (byKind.get(kind) ?? []).map((subject) => subject.id);
  for (const realizer of REALIZERS) {
    const concerned = realizer.kinds.some((kind) => byKind.has(kind));
    if (concerned) await realizer.plan({ books, on, actual, plan, options, ids });
  }
  return plan;
}
