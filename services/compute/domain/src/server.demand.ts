/** What a flavor and an image demand of a node besides its size. */
import { type Failure, fail } from '#libs/kernel';
import { hardwareTraits, hardwareUnits } from './server.hardware.js';
import { type CellDemand, cellsOf } from './server.hardware.memory.js';
import { HardwareWords } from './server.hardware.words.js';
import type { FlavorSnapshot, ImageSnapshot } from './server.js';

/** What was not said in inputs of older tasks is not asked for. */
export interface NodeDemand {
  readonly requiredTraits: readonly string[];
  readonly forbiddenTraits: readonly string[];
  /** Units of resource classes, in place of those that the size makes or beside them; 0 leaves a class out. */
  readonly resources?: Readonly<Record<string, number>>;
  /** Those that nodes or their aggregates have to meet, with their namespaces. */
  readonly extraSpecs?: Readonly<Record<string, string>>;
  readonly imageProperties?: Readonly<Record<string, string>>;
  /** Guest NUMA nodes, each to be seated on one of the host's. */
  readonly numa?: readonly CellDemand[];
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

/** Traits, resources and the like that the flavor or the image asks for, by name or by the machine that they describe. */
export function demandOf(flavor: FlavorSnapshot, image: Pick<ImageSnapshot, 'properties'>): NodeDemand {
  const traits = [...below(flavor.extraSpecs, TRAIT), ...below(image.properties, TRAIT)];
  const named = (word: string): string[] => [
    ...new Set(traits.filter(([, value]) => value === word).map(([trait]) => trait)),
  ];
  const specs = Object.entries(flavor.extraSpecs).filter(([key]) => OF_NODES.test(key));
  const properties = Object.entries(image.properties).filter(([key]) => !key.startsWith(TRAIT));
  const said = below(flavor.extraSpecs, RESOURCES).map(([name, units]) => [name, Number(units)]);
  return {
    requiredTraits: [...new Set([...named('required'), ...hardwareTraits(flavor, image)])],
    forbiddenTraits: named('forbidden'),
    resources: { ...hardwareUnits(flavor, image), ...Object.fromEntries(said) },
    extraSpecs: Object.fromEntries(specs),
    imageProperties: Object.fromEntries(properties),
    numa: cellsOf(new HardwareWords(flavor.extraSpecs, image.properties), flavor),
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
