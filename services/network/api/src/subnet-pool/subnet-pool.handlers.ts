import { Injectable } from '@nestjs/common';
import { fail, isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { SUBNET_POOL_FIELDS, type SubnetPoolChange } from '#services/network/data';
import {
  badAttribute,
  type IpVersion,
  isVisible,
  networkNotFound,
  poolNotFound,
  reaches,
  readLengths,
  readPrefixes,
  refuseShrinking,
  type SubnetPool,
  scopeNotFound,
  scopeOfOtherVersion,
  withoutPrefixes,
  withPrefixes,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, demand, idOf, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { isOn, toNumber } from '../values.wire.js';
import {
  type NewSubnetPoolBody,
  type OnboardBody,
  type PrefixesBody,
  type SubnetPoolChangeBody,
  subnetPoolView,
} from './subnet-pool.wire.js';

@Injectable()
export class SubnetPoolHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<SubnetPool> {
    const id = idOf(call, poolNotFound);
    const pool = await this.parts.books.subnetPools.find(this.parts.books.db, id);
    if (!pool || !(reaches(pool.sharedWith, call.who.projectId) || mayKnow(call.who, pool.projectId)))
      throw poolNotFound(id);
    return pool;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { subnetpool: item } = call.body as { subnetpool: NewSubnetPoolBody };
    const projectId = ownerOf(call, 'create_subnetpool', item);
    const shared = isOn(item.shared) ?? false;
    const isDefault = isOn(item.is_default) ?? false;
    if (shared) demand(call, 'create_subnetpool:shared');
    if (isDefault) demand(call, 'create_subnetpool:is_default');
    const { version, prefixes } = readPrefixes(item.prefixes);
    const id = this.parts.ids.uuid();
    const pool = {
      id,
      projectId,
      name: item.name ?? '',
      description: item.description ?? '',
      version,
      prefixes,
      ...readLengths(version, lengthsOf(item)),
      defaultQuota: quotaOf(item) ?? null,
      isDefault,
      scopeId: await this.scope(call, item.address_scope_id ?? null, id, version),
    };
    const made = await this.parts.books.subnetPoolStore.create(pool, shared, this.parts.now());
    return { body: { subnetpool: subnetPoolView(made, call.who) } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, SUBNET_POOL_FIELDS);
    const { books } = this.parts;
    const page = await books.subnetPools.list(books.db, request, scopeOf(call.who));
    return { body: listBody('subnetpools', page, request, call, (pool) => subnetPoolView(pool, call.who)) };
  }

  show(call: AnyCall, pool: SubnetPool): Reply {
    const { fields } = readList(call.query, SUBNET_POOL_FIELDS);
    return { body: { subnetpool: pick(subnetPoolView(pool, call.who), fields) } };
  }

  async update(call: AnyCall, pool: SubnetPool): Promise<Reply> {
    const { subnetpool: item } = call.body as { subnetpool: SubnetPoolChangeBody };
    if (item.is_default !== undefined) demand(call, 'update_subnetpool:is_default');
    const wanted = item.address_scope_id;
    const scopeId = wanted === undefined ? undefined : await this.scope(call, wanted, pool.id, pool.version);
    const after = await this.change(call, pool, (now) => ({
      name: item.name,
      description: item.description,
      prefixes: grown(now, item.prefixes),
      ...readLengths(now.version, { ...lengthsNow(now), ...lengthsOf(item) }),
      defaultQuota: quotaOf(item),
      isDefault: isOn(item.is_default),
      scopeId,
    }));
    return { body: { subnetpool: subnetPoolView(after, call.who) } };
  }

  async addPrefixes(call: AnyCall, pool: SubnetPool): Promise<Reply> {
    const { prefixes } = call.body as PrefixesBody;
    const after = await this.change(call, pool, (now) => ({ prefixes: withPrefixes(now, prefixes) }));
    return { body: { prefixes: after.prefixes } };
  }

  async removePrefixes(call: AnyCall, pool: SubnetPool): Promise<Reply> {
    const { prefixes } = call.body as PrefixesBody;
    const after = await this.change(call, pool, (now, taken) => ({ prefixes: withoutPrefixes(now, prefixes, taken) }));
    return { body: { prefixes: after.prefixes } };
  }

  /**
   * Takes the subnets of a network into the pool. This changes how they are routed, so whoever may merely use the network
   * may not.
   */
  async onboard(call: AnyCall, pool: SubnetPool): Promise<Reply> {
    const { network_id: id } = call.body as OnboardBody;
    const { books } = this.parts;
    const network = isUuid(id) ? await books.networks.find(books.db, id) : undefined;
    if (!network || !(isVisible(network, call.who.projectId) || mayKnow(call.who, network.projectId)))
      throw networkNotFound(id);
    demand(call, 'update_network', network);
    return { body: await books.subnetPoolStore.onboard(pool.id, network.id, this.parts.now()) };
  }

  async remove(call: AnyCall, pool: SubnetPool): Promise<Reply> {
    await this.parts.books.subnetPoolStore.delete(pool.id, this.parts.now(), revisionOf(call));
    return {};
  }

  private change(
    call: AnyCall,
    pool: SubnetPool,
    decide: (now: SubnetPool, taken: readonly string[]) => SubnetPoolChange,
  ): Promise<SubnetPool> {
    return this.parts.books.subnetPoolStore.update(pool.id, decide, this.parts.now(), revisionOf(call));
  }

  /** The scope that a pool may be in: one that the caller knows, of the pool's version. */
  private async scope(call: AnyCall, id: string | null, poolId: string, version: IpVersion): Promise<string | null> {
    if (id === null) return null;
    const { books } = this.parts;
    const scope = isUuid(id) ? await books.addressScopes.find(books.db, id) : undefined;
    if (!scope || !(reaches(scope.sharedWith, call.who.projectId) || mayKnow(call.who, scope.projectId)))
      throw scopeNotFound(id.slice(0, 100));
    if (scope.version !== version) throw scopeOfOtherVersion(poolId, scope.id, scope.version);
    const own = scope.projectId === call.who.projectId || call.may('update_address_scope:shared');
    if (!own && !reaches(scope.sharedWith, call.who.projectId)) throw notOwner(poolId, scope.id);
    return scope.id;
  }
}

const lengthsNow = (pool: SubnetPool) => ({ min: pool.minLength, max: pool.maxLength, default: pool.defaultLength });

/** What the client says of lengths; null stands for the usual, as not saying anything does. */
function lengthsOf(item: SubnetPoolChangeBody): { min?: number; max?: number; default?: number } {
  const given = {
    min: toNumber(item.min_prefixlen),
    max: toNumber(item.max_prefixlen),
    default: toNumber(item.default_prefixlen),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value != null));
}

function quotaOf(item: SubnetPoolChangeBody): number | null | undefined {
  const quota = toNumber(item.default_quota);
  if (quota != null && quota < 0) throw badAttribute('default_quota', `'${quota}' must be a non negative integer.`);
  return quota;
}

function grown(pool: SubnetPool, wanted: readonly string[] | undefined): string[] | undefined {
  if (wanted === undefined) return undefined;
  const { version, prefixes } = readPrefixes(wanted);
  if (version !== pool.version)
    throw fail.invalid('Cannot mix IPv4 and IPv6 prefixes in a subnet pool.', { type: 'PrefixVersionMismatch' });
  refuseShrinking(pool, prefixes);
  return prefixes;
}

const notOwner = (pool: string, scope: string): Error =>
  fail.invalid(`Illegal subnetpool association: subnetpool ${pool} cannot be associated with address scope ${scope}.`, {
    type: 'IllegalSubnetPoolAssociationToAddressScope',
  });
