/**
 * What keeps a server off a node. Each filter looks at a request once and says nothing where it has nothing to say, so that
 * a choice among thousands of nodes runs only the tests that can drop one. Their order is that in which an operator would
 * ask; a node counts for the first that drops it.
 */
import type { Provider } from './provider.js';
import { HAS, IS, type Refusal, resourceRefusal } from './rejection.js';
import { capabilities, extraSpecs, imageIsolation, imageProperties, numa, tenants } from './selection-nodes.js';
import type { GroupRule, NodeRequest, World } from './selection-request.js';

export interface NodeTest {
  passes(provider: Provider): boolean;
  /** For one that does not pass. */
  refusal(provider: Provider): Refusal;
}
export type NodeFilter = (request: NodeRequest, world: World) => NodeTest | undefined;

const disabled: NodeFilter = () => ({
  passes: ({ facts }) => facts.disabledReason === null,
  refusal: ({ facts }) => ({ verb: IS, what: `disabled: ${facts.disabledReason || 'no reason was given'}` }),
});

const zone: NodeFilter = ({ zone: asked }) =>
  asked
    ? {
        passes: ({ facts }) => facts.zone === asked,
        refusal: ({ facts }) => ({
          ...{ verb: IS, what: `not in availability zone ${asked}` },
          exact: `is in availability zone ${facts.zone || '(none)'}, not ${asked}`,
        }),
      }
    : undefined;

function oneOfIds(ids: readonly string[] | undefined, inside: boolean, refusal: Refusal): NodeTest | undefined {
  if (!ids?.length) return undefined;
  const known = new Set(ids);
  return { passes: ({ id }) => known.has(id) === inside, refusal: () => refusal };
}

const tried: NodeFilter = ({ excludeIds }) =>
  oneOfIds(excludeIds, false, { verb: ['was', 'were'], what: 'tried before' });
const apart: NodeFilter = ({ apartIds }) =>
  oneOfIds(apartIds, false, { verb: HAS, what: 'a server that it must keep away from' });
const among: NodeFilter = ({ amongIds }) =>
  oneOfIds(amongIds, true, { verb: HAS, what: 'none of the servers that it must be beside' });

const traits: NodeFilter = ({ requiredTraits = [], forbiddenTraits = [] }) => {
  if (!requiredTraits.length && !forbiddenTraits.length) return undefined;
  return {
    passes: (provider) => {
      for (const trait of requiredTraits) if (!provider.traits.has(trait)) return false;
      for (const trait of forbiddenTraits) if (provider.traits.has(trait)) return false;
      return true;
    },
    refusal: (provider) => {
      const missing = requiredTraits.filter((trait) => !provider.traits.has(trait));
      if (missing.length) return { verb: ['lacks', 'lack'], what: `the required trait ${missing.join(', ')}` };
      const unwanted = forbiddenTraits.filter((trait) => provider.traits.has(trait));
      return { verb: HAS, what: `the forbidden trait ${unwanted.join(', ')}` };
    },
  };
};

const aggregates: NodeFilter = ({ memberOf = [] }) =>
  memberOf.length
    ? {
        passes: (provider) => memberOf.every((any) => any.some((aggregate) => provider.aggregates.has(aggregate))),
        refusal: () => ({ verb: IS, what: 'not in a required aggregate' }),
      }
    : undefined;

const resources: NodeFilter = (request) => {
  const wanted = Object.entries(request.resources);
  return {
    passes: (provider) => {
      for (const [name, amount] of wanted) if (!provider.takes(name, amount)) return false;
      return true;
    },
    refusal: (provider) => resourceRefusal(provider, wanted),
  };
};

const affinity: NodeFilter = ({ group }, { seats }) => {
  if (group?.policy === 'anti-affinity') {
    const most = maxSeats(group);
    return {
      passes: ({ id }) => (seats.get(id) ?? 0) < most,
      refusal: () => ({ verb: HAS, what: `${most === 1 ? 'a server' : `${most} servers`} of its group already` }),
    };
  }
  if (group?.policy !== 'affinity' || !seats.size) return undefined;
  return {
    passes: ({ id }) => seats.has(id),
    refusal: () => ({ verb: IS, what: 'apart from the rest of its group' }),
  };
};

/** How many of the group a node may hold. */
export const maxSeats = ({ maxPerHost }: GroupRule): number => Math.max(1, maxPerHost);

/** Those that hold whatever is configured, for the claim would refuse too. */
const ALWAYS = { disabled, tried, resources, affinity } as const;
/** Those that an operator may turn off. */
const OPTIONAL = {
  ...{ zone, among, apart, traits, aggregates },
  ...{ image_properties: imageProperties, capabilities, tenants, image_isolation: imageIsolation },
  ...{ extra_specs: extraSpecs, numa },
} as const;

export type FilterName = keyof typeof OPTIONAL;
export const FILTER_NAMES = Object.keys(OPTIONAL) as readonly FilterName[];

const ORDER: readonly (readonly [name: string, filter: NodeFilter, always: boolean])[] = [
  ['disabled', ALWAYS.disabled, true],
  ['zone', OPTIONAL.zone, false],
  ['tried', ALWAYS.tried, true],
  ...FILTER_NAMES.filter((name) => name !== 'zone').map((name) => [name, OPTIONAL[name], false] as const),
  ['resources', ALWAYS.resources, true],
  ['affinity', ALWAYS.affinity, true],
];

export interface NamedTest extends NodeTest {
  readonly name: string;
}

/** The tests that this request calls for. */
export const testsFor = (request: NodeRequest, world: World, on: ReadonlySet<string>): NamedTest[] =>
  ORDER.flatMap(([name, filter, always]) => {
    const test = always || on.has(name) ? filter(request, world) : undefined;
    return test ? [{ name, ...test }] : [];
  });
