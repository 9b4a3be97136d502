/**
 * What can be tagged: each collection with its table and the resource's own handlers and rules, so that a tag is seen and
 * set by exactly those who see and change the resource itself.
 */
import type { Rule } from '#libs/platform/policy';
import { AddressGroupHandlers } from '../address-group/address-group.handlers.js';
import { AddressScopeHandlers } from '../address-scope/address-scope.handlers.js';
import { FloatingIpHandlers } from '../floating-ip/floating-ip.handlers.js';
import { NetworkHandlers } from '../network/network.handlers.js';
import type { NetworkParts } from '../parts.js';
import { PortHandlers } from '../port/port.handlers.js';
import { QosPolicyHandlers } from '../qos-policy/qos-policy.handlers.js';
import { RouterHandlers } from '../router/router.handlers.js';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { SecurityGroupHandlers } from '../security-group/security-group.handlers.js';
import { SecurityGroupRuleHandlers } from '../security-group-rule/security-group-rule.handlers.js';
import { SegmentHandlers } from '../segment/segment.handlers.js';
import { SubnetHandlers } from '../subnet/subnet.handlers.js';
import { SubnetPoolHandlers } from '../subnet-pool/subnet-pool.handlers.js';
import { TrunkHandlers } from '../trunk/trunk.handlers.js';

/** A resource as its own `load` finds it. */
export interface TaggedRow {
  readonly id: string;
  readonly projectId: string;
  readonly tags: readonly string[];
}

export interface Taggable {
  /** As in the path. */
  readonly collection: string;
  readonly table: string;
  /** Whoever may see and change the resource may do so with its tags. */
  readonly get: Rule;
  readonly update: Rule;
  readonly loader: (parts: NetworkParts) => { load(call: AnyCall): Promise<TaggedRow> };
}

export const TAGGABLE: readonly Taggable[] = [
  {
    collection: 'networks',
    table: 'network',
    get: R.getNetwork,
    update: R.updateNetwork,
    loader: (parts) => new NetworkHandlers(parts),
  },
  {
    collection: 'subnets',
    table: 'subnet',
    get: R.getSubnet,
    update: R.updateSubnet,
    loader: (parts) => new SubnetHandlers(parts),
  },
  {
    collection: 'segments',
    table: 'segment',
    get: R.getSegment,
    update: R.updateSegment,
    loader: (parts) => new SegmentHandlers(parts),
  },
  {
    collection: 'ports',
    table: 'port',
    get: R.getPort,
    update: R.updatePort,
    loader: (parts) => new PortHandlers(parts),
  },
  {
    collection: 'routers',
    table: 'router',
    get: R.getRouter,
    update: R.updateRouter,
    loader: (parts) => new RouterHandlers(parts),
  },
  {
    collection: 'floatingips',
    table: 'floatingip',
    get: R.getFloatingIp,
    update: R.updateFloatingIp,
    loader: (parts) => new FloatingIpHandlers(parts),
  },
  {
    collection: 'subnetpools',
    table: 'subnetpool',
    get: R.getSubnetPool,
    update: R.updateSubnetPool,
    loader: (parts) => new SubnetPoolHandlers(parts),
  },
  {
    collection: 'address-scopes',
    table: 'address_scope',
    get: R.getAddressScope,
    update: R.updateAddressScope,
    loader: (parts) => new AddressScopeHandlers(parts),
  },
  {
    collection: 'address-groups',
    table: 'address_group',
    get: R.getAddressGroup,
    update: R.updateAddressGroup,
    loader: (parts) => new AddressGroupHandlers(parts),
  },
  {
    collection: 'security-groups',
    table: 'security_group',
    get: R.getGroup,
    update: R.updateGroup,
    loader: (parts) => new SecurityGroupHandlers(parts),
  },
  {
    collection: 'security-group-rules',
    table: 'security_group_rule',
    get: R.getRule,
    update: R.createRule,
    loader: (parts) => new SecurityGroupRuleHandlers(parts),
  },
  {
    collection: 'policies',
    table: 'qos_policy',
    get: R.getQosPolicy,
    update: R.updateQosPolicy,
    loader: (parts) => new QosPolicyHandlers(parts),
  },
  {
    collection: 'trunks',
    table: 'trunk',
    get: R.getTrunk,
    update: R.updateTrunk,
    loader: (parts) => new TrunkHandlers(parts),
  },
];
