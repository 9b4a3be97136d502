/** What the books want of OVN for a handful of resources, as one plan. */
import type { Sql } from '#libs/platform/db';
import type { MarkKind, NetworkBooks } from '#services/network/data';
import { type NbActual, NbPlan } from '#services/network/domain';
import { addressGroupRealizer } from './address-group.realizer.js';
import { qosRealizer } from './qos.realizer.js';
import type { PlanOptions, Realizer, Subject } from './realizer.js';
import { routerRealizer } from './router.realizer.js';
import { switchingRealizer } from './switching.realizer.js';

/** In the order in which a full comparison goes through their kinds. */
export const REALIZERS: readonly Realizer[] = [addressGroupRealizer, switchingRealizer, qosRealizer, routerRealizer];

/** Plans the subjects as the books have them now. */
export async function planFor(
  books: NetworkBooks,
  on: Sql,
  subjects: readonly Subject[],
  actual: NbActual,
  options: PlanOptions,
): Promise<NbPlan> {
  const plan = new NbPlan(actual);
  const byKind = Map.groupBy(subjects, (subject) => subject.kind);
  const ids = (kind: MarkKind): readonly string[] => (byKind.get(kind) ?? []).map((subject) => subject.id);
  for (const realizer of REALIZERS) {
    const concerned = realizer.kinds.some((kind) => byKind.has(kind));
    if (concerned) await realizer.plan({ books, on, actual, plan, options, ids });
  }
  return plan;
}
