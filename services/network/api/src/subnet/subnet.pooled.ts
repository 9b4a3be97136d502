/** Where a new subnet's prefix comes from: what the client wrote, or a pool. */
import { fail, isUuid } from '#libs/kernel';
import {
  type IpVersion,
  invalidInput,
  mayUsePool,
  noDefaultPool,
  poolNotFound,
  type SubnetPool,
} from '#services/network/domain';
import type { NetworkParts } from '../parts.js';
import { type AnyCall, isAdmin } from '../scope.js';
import { isOn, toNumber } from '../values.wire.js';
import type { NewSubnetBody } from './subnet.wire.js';

/** The name that other clouds have for a pool of prefixes that their routers are given. */
const DELEGATION = 'prefix_delegation';

const bad = (message: string): Error => fail.invalid(message, { type: 'BadRequest' });

/** The pool that the subnet's prefix shall come from; undefined where the client brings its own. */
export async function poolFor(
  parts: NetworkParts,
  call: AnyCall,
  item: NewSubnetBody,
): Promise<SubnetPool | undefined> {
  const byDefault = isOn(item.use_default_subnetpool) ?? false;
  if (byDefault && item.subnetpool_id != null)
    throw bad('subnetpool_id and use_default_subnetpool cannot both be specified.');
  if (item.cidr != null && item.prefixlen != null) throw bad('cidr and prefixlen must not be supplied together.');
  if (byDefault) return defaultPool(parts, versionOf(item));
  if (item.subnetpool_id == null) return undefined;
  return named(parts, call, item, item.subnetpool_id);
}

async function named(parts: NetworkParts, call: AnyCall, item: NewSubnetBody, id: string): Promise<SubnetPool> {
  if (id === DELEGATION) throw invalidInput('prefix delegation is not available in this cloud.');
  const { books } = parts;
  const pool = isUuid(id) ? await books.subnetPools.find(books.db, id) : undefined;
  if (!pool || !(isAdmin(call.who) || mayUsePool(pool, call.who.projectId))) throw poolNotFound(id.slice(0, 100));
  const version = versionOf(item);
  if (version !== undefined && version !== pool.version)
    throw bad(`Cannot allocate IPv${version} subnet from IPv${pool.version} subnet pool.`);
  return pool;
}

async function defaultPool({ books }: NetworkParts, version: IpVersion = 4): Promise<SubnetPool> {
  const pool = await books.subnetPools.defaultOf(books.db, version);
  if (!pool) throw noDefaultPool(version);
  return pool;
}

/** The version that the client names, where it names one. */
export function versionOf(item: NewSubnetBody): IpVersion | undefined {
  const version = toNumber(item.ip_version);
  if (version == null) return undefined;
  if (version !== 4 && version !== 6)
    throw fail.invalid(`Invalid input for ip_version. Reason: '${version}' is not in [4, 6].`);
  return version;
}
