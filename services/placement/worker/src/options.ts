/** `options` of placement's configuration: how nodes are chosen. */
import { type Static, Type } from 'typebox';
import { DEFAULT_POLICY, DEFAULT_WEIGHTS, FILTER_NAMES, type SelectionPolicy } from '#services/placement/domain';

const weight = (byDefault: number) => Type.Number({ default: byDefault, minimum: -1_000, maximum: 1_000 });
const Weights = Type.Object(
  {
    spread: weight(DEFAULT_WEIGHTS.spread),
    cpu: weight(DEFAULT_WEIGHTS.cpu),
    ram: weight(DEFAULT_WEIGHTS.ram),
    disk: weight(DEFAULT_WEIGHTS.disk),
    load: weight(DEFAULT_WEIGHTS.load),
    affinity: weight(DEFAULT_WEIGHTS.affinity),
    failures: weight(DEFAULT_WEIGHTS.failures),
  },
  { additionalProperties: false, default: {} },
);

export const SchedulerOptions = Type.Object({
  /** The filters that are on, besides those without which claims would fail. */
  filters: Type.Array(Type.Union(FILTER_NAMES.map((name) => Type.Literal(name))), {
    default: [...DEFAULT_POLICY.filters],
  }),
  weights: Weights,
  breadth: Type.Integer({ default: DEFAULT_POLICY.breadth, minimum: 1, maximum: 100 }),
  keep: Type.Integer({ default: DEFAULT_POLICY.keep, minimum: 1, maximum: 100 }),
  compare: Type.Integer({ default: DEFAULT_POLICY.compare, minimum: 0 }),
});
export type SchedulerOptions = Static<typeof SchedulerOptions>;

/** Fails to compile where the configuration could not say all that a policy holds. */
export const policyOf = (options: SchedulerOptions): SelectionPolicy => options;
