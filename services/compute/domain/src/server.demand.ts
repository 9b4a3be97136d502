/** What a flavor and an image demand of a node besides its size. */
import { type Failure, fail } from '#libs/kernel';
import type { FlavorSnapshot, ImageSnapshot } from './server.js';

/** Guest NUMA nodes, each to be seated on one of the host's. */
export interface NumaDemand {
  readonly cpus: number;
  readonly memoryMb: number;
}

/** What was not said in inputs of older tasks is not asked for. */
export interface NodeDemand {
  readonly requiredTraits: readonly string[];
  readonly forbiddenTraits: readonly string[];
  /** Units of resource classes, in place of those that the size makes or beside them; 0 leaves a class out. */
  readonly resources?: Readonly<Record<string, number>>;
  /** Those that nodes or their aggregates have to meet, with their namespaces. */
  readonly extraSpecs?: Readonly<Record<string, string>>;
  readonly imageProperties?: Readonly<Record<string, string>>;
  readonly numa?: readonly NumaDemand[];
}

const TRAIT = 'trait:';
const RESOURCES = 'resources:';
const OF_NODES = /^(?:capabilities|aggregate_instance_extra_specs):/;
/** Upstream's groups of resources from one provider each. */
const GRANULAR = /^(?:resources|trait|group_policy)[A-Za-z0-9_-]+(?::|$)|^group_policy$/;
const CLASS = /^[A-Z0-9_]{1,255}$/;

/** The keys below a prefix, without it. */
const below = (entries: Readonly<Record<string, string>>, prefix: string): [key: string, value: string][] =>
  Object.entries(entries).flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
  );

/** Traits, resources and the like that the flavor or the image asks for. */
export function demandOf(flavor: FlavorSnapshot, image: Pick<ImageSnapshot, 'properties'>): NodeDemand {
  const traits = [...below(flavor.extraSpecs, TRAIT), ...below(image.properties, TRAIT)];
  const named = (word: string): string[] => [
    ...new Set(traits.filter(([, value]) => value === word).map(([trait]) => trait)),
  ];
  const specs = Object.entries(flavor.extraSpecs).filter(([key]) => OF_NODES.test(key));
  const properties = Object.entries(image.properties).filter(([key]) => !key.startsWith(TRAIT));
  return {
    requiredTraits: named('required'),
    forbiddenTraits: named('forbidden'),
    resources: Object.fromEntries(below(flavor.extraSpecs, RESOURCES).map(([name, units]) => [name, Number(units)])),
    extraSpecs: Object.fromEntries(specs),
    imageProperties: Object.fromEntries(properties),
    numa: numaOf(flavor, image.properties),
  };
}

/** Why the flavor's demands can not be met by any node of this cloud, or undefined. */
export function demandTrouble({ extraSpecs }: FlavorSnapshot): Failure | undefined {
  const granular = Object.keys(extraSpecs).find((key) => GRANULAR.test(key));
  if (granular)
    return fail.invalid(
      `The extra spec '${granular}' of the flavor is not supported: a server takes all from one node.`,
    );
  const odd = below(extraSpecs, RESOURCES).find(([name, units]) => !CLASS.test(name) || !/^\d{1,10}$/.test(units));
  if (odd) return fail.invalid(`The extra spec '${RESOURCES}${odd[0]}' of the flavor must be a whole number.`);
  return undefined;
}

/** How many processors `0-2,^1,5` names. */
function cpuCount(list: string): number {
  const ids = new Set<number>();
  for (const part of list.split(',').map((text) => text.trim())) {
    const [first = '', last = first] = part.replace('^', '').split('-');
    for (let id = Number(first); id <= Math.min(Number(last), 1_023); id += 1)
      if (part.startsWith('^')) ids.delete(id);
      else ids.add(id);
  }
  return ids.size;
}

const MOST_NODES = 64;

/** By what is said of each; else in equal shares. */
function numaOf(flavor: FlavorSnapshot, properties: Readonly<Record<string, string>>): NumaDemand[] {
  const said = (key: string): string | undefined => flavor.extraSpecs[`hw:${key}`] ?? properties[`hw_${key}`];
  const count = Number(said('numa_nodes') ?? 0);
  if (!Number.isInteger(count) || count < 1 || count > MOST_NODES) return [];
  return Array.from({ length: count }, (_, index) => {
    const cpus = said(`numa_cpus.${index}`);
    const memory = Number(said(`numa_mem.${index}`) ?? Math.ceil(flavor.memoryMb / count));
    return { cpus: cpus === undefined ? Math.ceil(flavor.vcpus / count) : cpuCount(cpus), memoryMb: memory || 0 };
  });
}
