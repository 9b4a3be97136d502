/** Filters over what a node is: its make, and what its operator says of it through the metadata of aggregates. */
import type { NodeProfile, Provider } from './provider.js';
import { IS } from './rejection.js';
import type { NodeFilter } from './selection-filters.js';
import type { NumaCell } from './selection-request.js';
import { specMatches, versionMeets } from './selection-specs.js';

type Demand = readonly [key: string, value: string];

/** The entries below a namespace, without it. */
const scoped = (entries: Readonly<Record<string, string>> | undefined, namespace: string): Demand[] =>
  Object.entries(entries ?? {})
    .filter(([key]) => key.startsWith(namespace))
    .map(([key, value]) => [key.slice(namespace.length), value]);

/** A filter of several demands on a profile: a node passes that meets all; the refusal names those it does not meet. */
function demands(
  asked: readonly Demand[],
  meets: (profile: NodeProfile, demand: Demand) => boolean,
  refusal: (unmet: readonly Demand[], profile: NodeProfile) => { what: string; exact?: string },
): ReturnType<NodeFilter> {
  if (!asked.length) return undefined;
  return {
    passes: ({ facts }) => asked.every((demand) => meets(facts.profile, demand)),
    refusal: ({ facts: { profile } }) => ({
      verb: IS,
      ...refusal(
        asked.filter((demand) => !meets(profile, demand)),
        profile,
      ),
    }),
  };
}

const pairs = (list: readonly Demand[]): string => list.map(([key, value]) => `${key} ${value}`).join(', ');

const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x86_64', i386: 'i686', arm64: 'aarch64' };
const MODES: Readonly<Record<string, string>> = { hv: 'hvm', pv: 'xen' };
/** Properties, current and old names, with the attribute that must list the value. */
const PROPERTIES: readonly (readonly [property: string, attribute: string])[] = [
  ['hw_architecture', 'arch'],
  ['architecture', 'arch'],
  ['img_hv_type', 'hypervisor_types'],
  ['hypervisor_type', 'hypervisor_types'],
  ['hw_vm_mode', 'vm_modes'],
  ['vm_mode', 'vm_modes'],
  ['hw_machine_type', 'machine_types'],
  ['img_hv_requested_version', 'hypervisor_version'],
  ['hypervisor_version_requires', 'hypervisor_version'],
];

const canonical = (attribute: string, value: string): string => {
  if (attribute === 'machine_types' || attribute === VERSION) return value;
  const word = value.trim().toLowerCase();
  const known = attribute === 'arch' ? ARCHITECTURES : attribute === 'vm_modes' ? MODES : {};
  return Object.hasOwn(known, word) ? known[word]! : word;
};

const VERSION = 'hypervisor_version';

/** What the image says it needs. What a node does not tell of itself is not held against it. */
export const imageProperties: NodeFilter = ({ imageProperties: given = {} }) =>
  demands(
    PROPERTIES.flatMap(([property, attribute]) => {
      const value = Object.hasOwn(given, property) ? given[property]! : '';
      return value ? [[attribute, canonical(attribute, value)] as const] : [];
    }),
    ({ attributes }, [attribute, value]) => {
      const own = attributes[attribute];
      if (own === undefined) return true;
      return attribute === VERSION ? versionMeets(value, own) : own.split(' ').includes(value);
    },
    (unmet) => ({ what: `not what the image needs: ${pairs(unmet)}` }),
  );

/** `capabilities:` of the flavor: a node that does not tell of one does not have it. */
export const capabilities: NodeFilter = ({ extraSpecs: given }) =>
  demands(
    scoped(given, 'capabilities:'),
    ({ attributes }, [key, spec]) => Object.hasOwn(attributes, key) && specMatches(spec, attributes[key]!),
    (unmet) => ({ what: `not as capable as the flavor needs: ${pairs(unmet)}` }),
  );

const TENANTS = 'filter_tenant_id';

/** Nodes of an aggregate with `filter_tenant_id…` are for those projects alone. */
export const tenants: NodeFilter = ({ projectId }) =>
  projectId === undefined
    ? undefined
    : {
        passes: ({ facts }) => {
          const allowed = tenantsOf(facts.profile);
          return allowed === undefined || allowed.includes(projectId);
        },
        refusal: () => ({ verb: IS, what: 'reserved for other projects' }),
      };

function tenantsOf({ labels }: NodeProfile): string[] | undefined {
  let allowed: string[] | undefined;
  for (const key in labels) {
    if (!key.startsWith(TENANTS)) continue;
    allowed = [...(allowed ?? []), ...labels[key]!.flatMap((list) => list.split(',').map((id) => id.trim()))];
  }
  return allowed;
}

/** Labels that say something else than which images a node takes. */
const NO_PROPERTY = /^(?:availability_zone$|filter_tenant_id|(?:cpu|ram|disk)_allocation_ratio$)/;

/** A label that is also a property of the image must allow the image's value. */
export const imageIsolation: NodeFilter = ({ imageProperties: given = {} }) =>
  demands(
    Object.entries(given).filter(([key]) => !NO_PROPERTY.test(key)),
    ({ labels }, [key, value]) => !Object.hasOwn(labels, key) || labels[key]!.includes(value),
    (unmet, { labels }) => ({
      what: 'reserved for other images',
      exact: `is reserved for images with ${unmet.map(([key]) => `${key} ${labels[key]?.join(' or ')}`).join(', ')}`,
    }),
  );

/** `aggregate_instance_extra_specs:` of the flavor: an aggregate of the node must say so. */
export const extraSpecs: NodeFilter = ({ extraSpecs: given }) =>
  demands(
    scoped(given, 'aggregate_instance_extra_specs:'),
    ({ labels }, [key, spec]) => Object.hasOwn(labels, key) && labels[key]!.some((value) => specMatches(spec, value)),
    (unmet) => ({ what: `not in an aggregate with ${pairs(unmet)}` }),
  );

/** Each guest NUMA node on one of the host's, if the host tells of any. */
export const numa: NodeFilter = ({ numa: cells = [] }) =>
  cells.length
    ? {
        passes: ({ facts }: Provider) => !facts.profile.numa.length || seated(cells, facts.profile.numa),
        refusal: () => ({ verb: ['does', 'do'], what: `not have ${cells.length} NUMA nodes of the size needed` }),
      }
    : undefined;

/** The largest first, each on a cell of its own. */
function seated(guest: readonly NumaCell[], host: readonly NumaCell[]): boolean {
  const free = [...host];
  return [...guest]
    .sort((a, b) => b.memoryMb - a.memoryMb || b.cpus - a.cpus)
    .every((cell) => {
      const fitting = free.filter(({ cpus, memoryMb }) => cpus >= cell.cpus && memoryMb >= cell.memoryMb);
      const tightest = fitting.sort((a, b) => a.memoryMb - b.memoryMb || a.cpus - b.cpus)[0];
      if (!tightest) return false;
      free.splice(free.indexOf(tightest), 1);
      return true;
    });
}
