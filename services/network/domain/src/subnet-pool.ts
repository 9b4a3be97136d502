/** What makes a subnet pool valid, and what a subnet gets from it. */
import { type Failure, fail } from '#libs/kernel';
import { bitsOf, formatPrefix, type IpVersion, type Prefix, parsePrefix } from './address.js';
import { badAttribute } from './faults.js';
import { reaches, type Standard, type Targets } from './model.js';
import { firstFree, holds, merged } from './prefix-set.js';

export interface SubnetPool extends Standard {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  readonly version: IpVersion;
  /** Canonical and merged. */
  readonly prefixes: readonly string[];
  readonly minLength: number;
  readonly maxLength: number;
  readonly defaultLength: number;
  /** What a project may have of it: addresses of IPv4, prefixes of 64 bits of IPv6; null for any number. */
  readonly defaultQuota: number | null;
  readonly isDefault: boolean;
  readonly scopeId: string | null;
  readonly sharedWith: Targets;
}

export interface AddressScope extends Standard {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly version: IpVersion;
  readonly sharedWith: Targets;
}

const invalid = (type: string, message: string): Failure => fail.invalid(message, { type });
const conflict = (type: string, message: string): Failure => fail.conflict(message, { type });

export const poolNotFound = (id: string) =>
  fail.notFound(`Subnet pool ${id} could not be found.`, { type: 'SubnetPoolNotFound' });
export const poolInUse = (): Failure =>
  invalid('SubnetPoolDeleteError', 'Unable to delete subnet pool: Subnet pool has existing allocations.');
export const illegalPoolUpdate = (reason: string): Failure =>
  invalid('IllegalSubnetPoolUpdate', `Illegal subnetpool update : ${reason}.`);
export const noRoom = (reason: string): Failure =>
  conflict('SubnetAllocationError', `Failed to allocate subnet: ${reason}.`);
export const otherPool = (): Failure =>
  invalid(
    'NetworkSubnetPoolAffinityError',
    'Subnets hosted on the same network must be allocated from the same subnet pool.',
  );
export const secondDefaultPool = (): Failure =>
  invalid('InvalidInput', 'A default subnetpool for this IP family has already been set.');

export const noDefaultPool = (version: IpVersion): Failure =>
  invalid('InvalidInput', `No default subnetpool found for IPv${version}.`);
/** True for a project that may have subnets of the pool. */
export const mayUsePool = (pool: SubnetPool, projectId: string | undefined): boolean =>
  pool.projectId === projectId || reaches(pool.sharedWith, projectId);

export const scopeNotFound = (id: string) =>
  fail.notFound(`Address scope ${id} could not be found.`, { type: 'AddressScopeNotFound' });
export const scopeInUse = (id: string): Failure =>
  conflict(
    'AddressScopeInUse',
    `Unable to complete operation on address scope ${id}. There are one or more subnet pools in use on the address scope.`,
  );
export const scopeConflict = (): Failure =>
  conflict(
    'AddressScopePrefixConflict',
    'Failed to associate address scope: subnetpools within an address scope must have unique prefixes.',
  );
export const scopeOfOtherVersion = (pool: string, scope: string, version: IpVersion): Failure =>
  invalid(
    'IllegalSubnetPoolIpVersionAssociationToAddressScope',
    `Illegal subnetpool association: subnetpool ${pool} cannot associate with address scope ${scope} because subnetpool ip_version is not ${version}.`,
  );

/** A pool's bounds as asked for; undefined where the client did not say. */
export interface LengthsWish {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly default?: number | undefined;
}

export interface Lengths {
  readonly minLength: number;
  readonly maxLength: number;
  readonly defaultLength: number;
}

/** The smallest length of a prefix that a pool may hold, and what it gives out where nobody says. */
const LEAST: Readonly<Record<IpVersion, number>> = { 4: 8, 6: 64 };
const LEAST_PREFIX: Readonly<Record<IpVersion, number>> = { 4: 1, 6: 1 };

/** The prefixes of a pool: of one version, canonical and merged. */
export function readPrefixes(texts: readonly string[]): { readonly version: IpVersion; readonly prefixes: string[] } {
  if (texts.length === 0) throw invalid('EmptySubnetPoolPrefixList', 'Empty subnet pool prefix list.');
  const read = texts.map((text) => {
    const prefix = parsePrefix(text);
    if (!prefix) throw badAttribute('prefixes', `'${text}' is not a valid IP subnet.`);
    return prefix;
  });
  const version = read[0]!.version;
  if (read.some((prefix) => prefix.version !== version))
    throw invalid('PrefixVersionMismatch', 'Cannot mix IPv4 and IPv6 prefixes in a subnet pool.');
  const wide = read.find((prefix) => prefix.length < LEAST_PREFIX[version]);
  if (wide)
    throw invalid('UnsupportedMinSubnetPoolPrefix', `Prefix '${wide.length}' not supported in IPv${version} pool.`);
  return { version, prefixes: merged(read).map(formatPrefix) };
}

/** The lengths of the subnets that come from a pool. */
export function readLengths(version: IpVersion, wish: LengthsWish): Lengths {
  const most = bitsOf(version);
  const minLength = wish.min ?? LEAST[version];
  const maxLength = wish.max ?? most;
  const defaultLength = wish.default ?? minLength;
  const bounds = (a: string, x: number, b: string, y: number): Failure =>
    invalid('IllegalSubnetPoolPrefixBounds', `Illegal prefix bounds: ${a}=${x}, ${b}=${y}.`);
  if (minLength < LEAST_PREFIX[version] || minLength > most)
    throw invalid('UnsupportedMinSubnetPoolPrefix', `Prefix '${minLength}' not supported in IPv${version} pool.`);
  if (maxLength > most) throw bounds('max_prefixlen', maxLength, 'ip_version_max', most);
  if (minLength > maxLength) throw bounds('min_prefixlen', minLength, 'max_prefixlen', maxLength);
  if (defaultLength < minLength) throw bounds('default_prefixlen', defaultLength, 'min_prefixlen', minLength);
  if (defaultLength > maxLength) throw bounds('default_prefixlen', defaultLength, 'max_prefixlen', maxLength);
  return { minLength, maxLength, defaultLength };
}

/** The prefixes of a pool after some were added. */
export function withPrefixes(pool: SubnetPool, added: readonly string[]): string[] {
  const { version, prefixes } = readPrefixes([...pool.prefixes, ...added]);
  if (version !== pool.version) throw illegalPoolUpdate('the ip_version of a pool cannot be changed');
  return prefixes;
}

/** Throws unless the pool still holds all that it held. */
export function refuseShrinking(pool: SubnetPool, prefixes: readonly string[]): void {
  const after = prefixes.map((text) => parsePrefix(text)!);
  const lost = pool.prefixes.filter((text) => !holds(after, parsePrefix(text)!));
  if (lost.length > 0) throw illegalPoolUpdate('Existing prefixes must be a subset of the new prefixes');
}

/** The prefixes of a pool after some were taken away; throws where one is not wholly in it, or where subnets are. */
export function withoutPrefixes(pool: SubnetPool, removed: readonly string[], taken: readonly string[]): string[] {
  const gone = readPrefixes(removed).prefixes.map((text) => parsePrefix(text)!);
  const held = pool.prefixes.map((text) => parsePrefix(text)!);
  if (gone.some((prefix) => !holds(held, prefix)))
    throw illegalPoolUpdate('Prefixes to be removed must be in the pool');
  const inUse = taken.some((text) => gone.some((prefix) => touches(prefix, parsePrefix(text)!)));
  if (inUse) throw illegalPoolUpdate('Subnets are allocated from the prefixes to be removed');
  const left = held.flatMap((prefix) =>
    gone.reduce<Prefix[]>((parts, cut) => parts.flatMap((part) => less(part, cut)), [prefix]),
  );
  if (left.length === 0) throw invalid('EmptySubnetPoolPrefixList', 'Empty subnet pool prefix list.');
  return merged(left).map(formatPrefix);
}

/** The prefixes of a pool after it has taken in subnets that are there already. Throws where it has given some of that out. */
export function withOnboarded(
  pool: SubnetPool,
  subnets: readonly { readonly id: string; readonly cidr: string }[],
  taken: readonly string[],
): string[] {
  const held = taken.map((text) => parsePrefix(text)!);
  const blocked = subnets.find(({ cidr }) => held.some((prefix) => touches(prefix, parsePrefix(cidr)!)));
  if (blocked)
    throw illegalPoolUpdate(
      `Onboarding subnet ${blocked.id}: ${blocked.cidr} conflicts with allocated prefixes in subnet pool ${pool.id}`,
    );
  return withPrefixes(
    pool,
    subnets.map(({ cidr }) => cidr),
  );
}

const touches = (a: Prefix, b: Prefix): boolean => holds([a], b) || holds([b], a);

/** A prefix without another: its halves, without it, down to where it is. */
function less(prefix: Prefix, cut: Prefix): Prefix[] {
  if (!touches(prefix, cut)) return [prefix];
  if (holds([cut], prefix)) return [];
  const length = prefix.length + 1;
  const upper = prefix.first + (1n << BigInt(bitsOf(prefix.version) - length));
  return [prefix.first, upper].flatMap((first) => less({ version: prefix.version, first, length }, cut));
}

export interface PoolWish {
  readonly length?: number | undefined;
  readonly cidr?: string | undefined;
}

/** Decides which prefix a new subnet gets of the pool, given what is taken of it. Throws where there is none. */
export function prefixFrom(pool: SubnetPool, wish: PoolWish, taken: readonly string[]): string {
  const prefixes = pool.prefixes.map((text) => parsePrefix(text)!);
  const used = taken.map((text) => parsePrefix(text)!);
  const wanted = wish.cidr === undefined ? null : parsePrefix(wish.cidr);
  if (wish.cidr !== undefined && !wanted) throw badAttribute('cidr', `'${wish.cidr}' is not a valid IP subnet.`);
  if (wanted && wanted.version !== pool.version)
    throw noRoom('Cannot allocate IP subnet of another version than its pool');
  const length = wanted?.length ?? wish.length ?? pool.defaultLength;
  checkLength(pool, length);
  if (!wanted) {
    const free = firstFree(prefixes, used, length);
    if (!free) throw noRoom(`Insufficient prefix space to allocate subnet size /${length}`);
    return formatPrefix(free);
  }
  if (!holds(prefixes, wanted) || used.some((prefix) => touches(prefix, wanted)))
    throw noRoom('Cannot allocate requested subnet from the available set of prefixes');
  return formatPrefix(wanted);
}

function checkLength(pool: SubnetPool, length: number): void {
  if (length < pool.minLength)
    throw invalid(
      'MinPrefixSubnetAllocationError',
      `Unable to allocate subnet with prefix length ${length}, minimum allowed prefix is ${pool.minLength}.`,
    );
  if (length > pool.maxLength)
    throw invalid(
      'MaxPrefixSubnetAllocationError',
      `Unable to allocate subnet with prefix length ${length}, maximum allowed prefix is ${pool.maxLength}.`,
    );
}

const unitsOf = (prefix: Prefix): bigint => {
  const bits = (prefix.version === 4 ? 32 : 64) - prefix.length;
  return bits <= 0 ? 1n : 1n << BigInt(bits);
};

/** Throws where the project would have more of the pool than its quota. */
export function checkPoolQuota(pool: SubnetPool, own: readonly string[], added: string): void {
  if (pool.defaultQuota === null) return;
  const used = [...own, added].reduce((sum, text) => sum + unitsOf(parsePrefix(text)!), 0n);
  if (used > BigInt(pool.defaultQuota))
    throw fail.overQuota('Per-tenant subnet pool prefix quota exceeded.', { type: 'SubnetPoolQuotaExceeded' });
}
