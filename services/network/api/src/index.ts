/** The Neutron API: rows of operations, their rules, and the module of their handlers. */
import { type DynamicModule, Module } from '@nestjs/common';
import type { Op } from '#libs/platform/http';
import { AddressGroupHandlers } from './address-group/address-group.handlers.js';
import { addressGroupOps } from './address-group/address-group.ops.js';
import { AddressScopeHandlers } from './address-scope/address-scope.handlers.js';
import { addressScopeOps } from './address-scope/address-scope.ops.js';
import { AgentHandlers } from './agent/agent.handlers.js';
import { agentOps } from './agent/agent.ops.js';
import { AgentHostingHandlers } from './agent/agent-hosting.handlers.js';
import { AutoTopologyHandlers } from './auto-topology/auto-topology.handlers.js';
import { autoTopologyOps } from './auto-topology/auto-topology.ops.js';
import { AvailabilityZoneHandlers } from './availability-zone/availability-zone.handlers.js';
import { availabilityZoneOps } from './availability-zone/availability-zone.ops.js';
import { DefaultSecurityGroupRuleHandlers } from './default-security-group-rule/default-security-group-rule.handlers.js';
import { defaultSecurityGroupRuleOps } from './default-security-group-rule/default-security-group-rule.ops.js';
import { DefaultStatefulnessHandlers } from './default-statefulness/default-statefulness.handlers.js';
import { defaultStatefulnessOps } from './default-statefulness/default-statefulness.ops.js';
import { DiscoveryHandlers } from './discovery/discovery.handlers.js';
import { discoveryOps } from './discovery/discovery.ops.js';
import { FlavorHandlers } from './flavor/flavor.handlers.js';
import { flavorOps } from './flavor/flavor.ops.js';
import { FloatingIpHandlers } from './floating-ip/floating-ip.handlers.js';
import { floatingIpOps } from './floating-ip/floating-ip.ops.js';
import { MeteringLabelHandlers } from './metering-label/metering-label.handlers.js';
import { meteringLabelOps } from './metering-label/metering-label.ops.js';
import { MeteringLabelRuleHandlers } from './metering-label-rule/metering-label-rule.handlers.js';
import { meteringLabelRuleOps } from './metering-label-rule/metering-label-rule.ops.js';
import { NetworkHandlers } from './network/network.handlers.js';
import { networkOps } from './network/network.ops.js';
import { NetworkIpAvailabilityHandlers } from './network-ip-availability/network-ip-availability.handlers.js';
import { networkIpAvailabilityOps } from './network-ip-availability/network-ip-availability.ops.js';
import { NetworkParts } from './parts.js';
import { PortHandlers } from './port/port.handlers.js';
import { portOps } from './port/port.ops.js';
import { PortForwardingHandlers } from './port-forwarding/port-forwarding.handlers.js';
import { portForwardingOps } from './port-forwarding/port-forwarding.ops.js';
import { QosPolicyHandlers } from './qos-policy/qos-policy.handlers.js';
import { qosPolicyOps } from './qos-policy/qos-policy.ops.js';
import { QosRuleHandlers } from './qos-rule/qos-rule.handlers.js';
import { qosRuleOps } from './qos-rule/qos-rule.ops.js';
import { QosRuleTypeHandlers } from './qos-rule-type/qos-rule-type.handlers.js';
import { qosRuleTypeOps } from './qos-rule-type/qos-rule-type.ops.js';
import { QuotaHandlers } from './quota/quota.handlers.js';
import { quotaOps } from './quota/quota.ops.js';
import { RbacPolicyHandlers } from './rbac-policy/rbac-policy.handlers.js';
import { rbacPolicyOps } from './rbac-policy/rbac-policy.ops.js';
import { RouterHandlers } from './router/router.handlers.js';
import { routerOps } from './router/router.ops.js';
import { RouterInterfaceHandlers } from './router/router-interface.handlers.js';
import { SecurityGroupHandlers } from './security-group/security-group.handlers.js';
import { securityGroupOps } from './security-group/security-group.ops.js';
import { SecurityGroupRuleHandlers } from './security-group-rule/security-group-rule.handlers.js';
import { securityGroupRuleOps } from './security-group-rule/security-group-rule.ops.js';
import { SegmentHandlers } from './segment/segment.handlers.js';
import { segmentOps } from './segment/segment.ops.js';
import { ServiceProfileHandlers } from './service-profile/service-profile.handlers.js';
import { serviceProfileOps } from './service-profile/service-profile.ops.js';
import { ServiceProviderHandlers } from './service-provider/service-provider.handlers.js';
import { serviceProviderOps } from './service-provider/service-provider.ops.js';
import { SubnetHandlers } from './subnet/subnet.handlers.js';
import { subnetOps } from './subnet/subnet.ops.js';
import { SubnetPoolHandlers } from './subnet-pool/subnet-pool.handlers.js';
import { subnetPoolOps } from './subnet-pool/subnet-pool.ops.js';
import { TagHandlers } from './tag/tag.handlers.js';
import { tagOps } from './tag/tag.ops.js';
import { TrunkHandlers } from './trunk/trunk.handlers.js';
import { trunkOps } from './trunk/trunk.ops.js';

export { type ApiSettings, NetworkParts } from './parts.js';
export { ATTRIBUTE_RULES as networkRules } from './rules.js';
export { NetworkOptions } from './settings.js';
export { withoutSuffix } from './suffix.js';
export { TAGGABLE } from './tag/taggable.js';

export const networkApiOps: readonly Op[] = [
  ...discoveryOps,
  ...networkOps,
  ...subnetOps,
  ...segmentOps,
  ...portOps,
  ...routerOps,
  ...floatingIpOps,
  ...portForwardingOps,
  ...securityGroupOps,
  ...securityGroupRuleOps,
  ...qosPolicyOps,
  ...qosRuleOps,
  ...qosRuleTypeOps,
  ...defaultSecurityGroupRuleOps,
  ...defaultStatefulnessOps,
  ...addressGroupOps,
  ...addressScopeOps,
  ...subnetPoolOps,
  ...rbacPolicyOps,
  ...trunkOps,
  ...tagOps,
  ...quotaOps,
  ...agentOps,
  ...networkIpAvailabilityOps,
  ...meteringLabelOps,
  ...meteringLabelRuleOps,
  ...availabilityZoneOps,
  ...serviceProviderOps,
  ...autoTopologyOps,
  ...flavorOps,
  ...serviceProfileOps,
];

@Module({})
class NetworkApiModule {}

/** The handlers over the given parts. */
export const networkModule = (parts: NetworkParts): DynamicModule => ({
  module: NetworkApiModule,
  providers: [
    { provide: NetworkParts, useValue: parts },
    DiscoveryHandlers,
    NetworkHandlers,
    SubnetHandlers,
    SegmentHandlers,
    PortHandlers,
    RouterHandlers,
    RouterInterfaceHandlers,
    FloatingIpHandlers,
    PortForwardingHandlers,
    SecurityGroupHandlers,
    SecurityGroupRuleHandlers,
    QosPolicyHandlers,
    QosRuleHandlers,
    QosRuleTypeHandlers,
    DefaultSecurityGroupRuleHandlers,
    DefaultStatefulnessHandlers,
    AddressGroupHandlers,
    AddressScopeHandlers,
    SubnetPoolHandlers,
    RbacPolicyHandlers,
    TrunkHandlers,
    TagHandlers,
    QuotaHandlers,
    AgentHandlers,
    NetworkIpAvailabilityHandlers,
    MeteringLabelHandlers,
    MeteringLabelRuleHandlers,
    AgentHostingHandlers,
    AvailabilityZoneHandlers,
    ServiceProviderHandlers,
    AutoTopologyHandlers,
    FlavorHandlers,
    ServiceProfileHandlers,
  ],
});
