/** How many addresses a network can give out, and how many of them are taken. */
import { bitsOf, type IpVersion, parsePrefix } from './address.js';
import type { AddressRange } from './model.js';
import { poolsOf, poolsSize } from './pools.js';

export interface SubnetAvailability {
  readonly id: string;
  readonly name: string;
  readonly cidr: string;
  readonly version: IpVersion;
  /** A subnet of IPv6 has more than a double can count. */
  readonly total: bigint;
  readonly used: number;
}

export interface NetworkAvailability {
  /** The network's. */
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly subnets: readonly SubnetAvailability[];
}

/** What its pools hold; a subnet without pools counts as a whole. */
export function capacityOf(cidr: string, ranges: readonly AddressRange[]): bigint {
  const prefix = parsePrefix(cidr)!;
  if (ranges.length > 0) return poolsSize(poolsOf(prefix.version, ranges));
  return 1n << BigInt(bitsOf(prefix.version) - prefix.length);
}

export const sumOf = (
  subnets: readonly Pick<SubnetAvailability, 'total' | 'used'>[],
): Pick<SubnetAvailability, 'total' | 'used'> => ({
  total: subnets.reduce((sum, subnet) => sum + subnet.total, 0n),
  used: subnets.reduce((sum, subnet) => sum + subnet.used, 0),
});
