/** What a flavor and an image demand of a node besides its size. */
import { type Failure, fail } from '#libs/kernel';
import { ENCRYPTION_TRAITS, wantsEncryption } from './server.encryption.js';
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
/** Groups of resources, each from one provider: a node is one, so that what they ask for is asked of it together. */
const OF_GROUP = /^(resources|trait)([1-9][0-9]*|_[A-Za-z0-9_-]{1,63}):(.*)$/s;
const POLICY = 'group_policy';
const CLASS = /^[A-Z0-9_]{1,255}$/;

/** The keys below a prefix, without it. */
const below = (entries: Readonly<Record<string, string>>, prefix: string): [key: string, value: string][] =>
  Object.entries(entries).flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
  );

interface GroupSpec {
  readonly base: string;
  readonly group: string;
  readonly name: string;
  readonly value: string;
}

/** What is said of groups, in the flavor's order. */
const groupSpecs = ({ extraSpecs }: FlavorSnapshot): GroupSpec[] =>
  Object.entries(extraSpecs).flatMap(([key, value]) => {
    const [, base, group, name] = OF_GROUP.exec(key) ?? [];
    return base === undefined || group === undefined || name === undefined ? [] : [{ base, group, name, value }];
  });

/** Units that the flavor says, all groups together; a class of which it says something is not taken from its size. */
function saidUnits(flavor: FlavorSnapshot, groups: readonly GroupSpec[]): Record<string, number> {
  const units: Record<string, number> = {};
  const grouped = groups.flatMap(({ base, name, value }) => (base === 'resources' ? [[name, value] as const] : []));
  for (const [name, value] of [...below(flavor.extraSpecs, RESOURCES), ...grouped])
    units[name] = (units[name] ?? 0) + Number(value);
  return units;
}

/** Traits, resources and the like that the flavor or the image asks for, by name or by the machine that they describe. */
export function demandOf(flavor: FlavorSnapshot, image: Pick<ImageSnapshot, 'properties'>): NodeDemand {
  const groups = groupSpecs(flavor);
  const traits = [
    ...below(flavor.extraSpecs, TRAIT),
    ...groups.flatMap(({ base, name, value }): [string, string][] => (base === 'trait' ? [[name, value]] : [])),
    ...below(image.properties, TRAIT),
  ];
  const named = (word: string): string[] => [
    ...new Set(traits.filter(([, value]) => value === word).map(([trait]) => trait)),
  ];
  const specs = Object.entries(flavor.extraSpecs).filter(([key]) => OF_NODES.test(key));
  const properties = Object.entries(image.properties).filter(([key]) => !key.startsWith(TRAIT));
  return {
    requiredTraits: [
      ...new Set([
        ...named('required'),
        ...hardwareTraits(flavor, image),
        ...(wantsEncryption(flavor, image) ? ENCRYPTION_TRAITS : []),
      ]),
    ],
    forbiddenTraits: named('forbidden'),
    resources: { ...hardwareUnits(flavor, image), ...saidUnits(flavor, groups) },
    extraSpecs: Object.fromEntries(specs),
    imageProperties: Object.fromEntries(properties),
    numa: cellsOf(new HardwareWords(flavor.extraSpecs, image.properties), flavor),
  };
}

/** Why the flavor's demands can not be met by any node of this cloud, or undefined. */
export function demandTrouble(flavor: FlavorSnapshot): Failure | undefined {
  const groups = groupSpecs(flavor).filter(({ base }) => base === 'resources');
  const said = [
    ...below(flavor.extraSpecs, RESOURCES).map(([name, units]) => ({ key: `${RESOURCES}${name}`, name, units })),
    ...groups.map(({ group, name, value: units }) => ({ key: `resources${group}:${name}`, name, units })),
  ];
  const odd = said.find(({ name, units }) => !CLASS.test(name) || !/^\d{1,10}$/.test(units));
  if (odd) return fail.invalid(`The extra spec '${odd.key}' of the flavor must be a whole number.`);
  return policyTrouble(flavor.extraSpecs[POLICY], new Set(groups.map(({ group }) => group)).size);
}

function policyTrouble(policy: string | undefined, groups: number): Failure | undefined {
  if (policy !== undefined && policy !== 'none' && policy !== 'isolate')
    return fail.invalid(`The extra spec '${POLICY}' of the flavor must be 'none' or 'isolate'.`);
  if (groups < 2 || policy === 'none') return undefined;
  return fail.invalid(
    policy === undefined
      ? `The flavor asks for resources in ${groups} groups and needs the extra spec '${POLICY}'.`
      : `The extra spec '${POLICY}' of the flavor is not supported: a server takes all from one node.`,
  );
}
