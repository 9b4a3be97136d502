/** Subnet pools on the wire. */
import { type Static, Type } from 'typebox';
import type { Credentials } from '#libs/platform/policy';
import { body } from '#libs/wire';
import { reaches, type SubnetPool } from '#services/network/domain';
import { attributes, Flag, just, maybe, nullable, standard, text, Whole } from '../values.wire.js';

const Prefixes = Type.Array(text(64), { maxItems: 1000 });

const writable = {
  name: maybe(text()),
  description: maybe(text()),
  prefixes: maybe(Prefixes),
  default_quota: nullable(Whole),
  min_prefixlen: nullable(Whole),
  max_prefixlen: nullable(Whole),
  default_prefixlen: nullable(Whole),
  address_scope_id: nullable(text(64)),
  is_default: maybe(Flag),
};

const NewSubnetPoolBody = attributes({
  ...writable,
  prefixes: Prefixes,
  shared: maybe(Flag),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewSubnetPoolBody = Static<typeof NewSubnetPoolBody>;
const SubnetPoolChangeBody = attributes(writable);
export type SubnetPoolChangeBody = Static<typeof SubnetPoolChangeBody>;
const PrefixesBody = attributes({ prefixes: Prefixes });
export type PrefixesBody = Static<typeof PrefixesBody>;

const OnboardBody = attributes({ network_id: text(64) });
export type OnboardBody = Static<typeof OnboardBody>;

export const createSubnetPoolBody = body(just('subnetpool', NewSubnetPoolBody));
export const updateSubnetPoolBody = body(just('subnetpool', SubnetPoolChangeBody));
export const prefixesBody = body(PrefixesBody);
export const onboardBody = body(OnboardBody);

export const subnetPoolView = (pool: SubnetPool, who: Credentials): Record<string, unknown> => ({
  id: pool.id,
  name: pool.name,
  description: pool.description,
  tenant_id: pool.projectId,
  project_id: pool.projectId,
  ip_version: pool.version,
  prefixes: pool.prefixes,
  min_prefixlen: pool.minLength,
  max_prefixlen: pool.maxLength,
  default_prefixlen: pool.defaultLength,
  default_quota: pool.defaultQuota,
  is_default: pool.isDefault,
  address_scope_id: pool.scopeId,
  shared: reaches(pool.sharedWith, who.projectId),
  ...standard(pool),
});
