/** Allocation pools: the ranges of a subnet from which addresses are given out. Pure; who holds an address is the database's to say. */
import { formatIp, type IpVersion, lastOf, type Prefix, parseIp } from './address.js';
import type { AddressRange } from './model.js';
import { conflictingPools, gatewayInPool, invalidPool, poolOutOfBounds } from './subnet-faults.js';

export interface Pool {
  readonly first: bigint;
  readonly last: bigint;
}

/** What a host may have: all but the network's own address and IPv4's broadcast address, of which tiny ones have none. */
function hostsOf(prefix: Prefix): Pool {
  const last = lastOf(prefix);
  const tiny = last - prefix.first < 2n;
  return {
    first: tiny ? prefix.first : prefix.first + 1n,
    last: tiny || prefix.version === 6 ? last : last - 1n,
  };
}

/** What may be given out by default: all but the network's own address, IPv4's broadcast address and the gateway. */
export function defaultPools(prefix: Prefix, gateway: bigint | null): Pool[] {
  const { first, last: end } = hostsOf(prefix);
  if (gateway === null || gateway < first || gateway > end) return [{ first, last: end }];
  const around = [
    { first, last: gateway - 1n },
    { first: gateway + 1n, last: end },
  ];
  return around.filter((pool) => pool.first <= pool.last);
}

function readPool(version: IpVersion, range: AddressRange): Pool {
  const start = parseIp(range.start);
  const end = parseIp(range.end);
  if (start?.version !== version || end?.version !== version || start.value > end.value) throw invalidPool(range);
  return { first: start.value, last: end.value };
}

/** The client's pools, in order of address. Throws where they leave the subnet, overlap, or hold the gateway. */
export function checkedPools(prefix: Prefix, ranges: readonly AddressRange[], gateway: bigint | null): Pool[] {
  const pools = ranges.map((range) => readPool(prefix.version, range));
  const hosts = hostsOf(prefix);
  for (const [index, pool] of pools.entries()) {
    if (pool.first < hosts.first || pool.last > hosts.last) throw poolOutOfBounds(ranges[index]!, prefix);
    if (gateway !== null && gateway >= pool.first && gateway <= pool.last) {
      throw gatewayInPool(formatIp(prefix.version, gateway), ranges[index]!);
    }
  }
  pools.sort((a, b) => (a.first < b.first ? -1 : 1));
  const clash = pools.findIndex((pool, index) => index > 0 && pool.first <= pools[index - 1]!.last);
  if (clash > 0) throw conflictingPools(prefix);
  return pools;
}

export const rangesOf = (version: IpVersion, pools: readonly Pool[]): AddressRange[] =>
  pools.map((pool) => ({ start: formatIp(version, pool.first), end: formatIp(version, pool.last) }));

export const poolsOf = (version: IpVersion, ranges: readonly AddressRange[]): Pool[] =>
  ranges.map((range) => readPool(version, range));

export const poolsSize = (pools: readonly Pool[]): bigint =>
  pools.reduce((sum, pool) => sum + (pool.last - pool.first + 1n), 0n);

/** The pools as a search for a free address goes through them: from behind `after` to the end, then from the start. */
export function stretchesAfter(pools: readonly Pool[], after: bigint | null): Pool[] {
  if (after === null) return [...pools];
  const start = pools.findIndex((pool) => after < pool.last);
  const cut = pools[start];
  if (!cut) return [...pools];
  const begin = after < cut.first ? cut.first : after + 1n;
  const before = { first: cut.first, last: begin - 1n };
  const all = [{ first: begin, last: cut.last }, ...pools.slice(start + 1), ...pools.slice(0, start), before];
  return all.filter((pool) => pool.first <= pool.last);
}
