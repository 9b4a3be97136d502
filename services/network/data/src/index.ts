/** The books of the network service. */
export * from './address-group.repo.js';
export * from './address-group.store.js';
export * from './address-scope.repo.js';
export * from './address-scope.store.js';
export * from './agent.repo.js';
export * from './allocation.repo.js';
export * from './auto-topology.store.js';
export * from './books.js';
export * from './default-security-group-rule.repo.js';
export * from './default-security-group-rule.store.js';
export * from './default-statefulness.repo.js';
export * from './dirty.repo.js';
export * from './fence.repo.js';
export * from './flavor.repo.js';
export { FLOATING_IP_FIELDS } from './floating-ip.listing.js';
export * from './floating-ip.repo.js';
export * from './floating-ip.store.js';
export * from './journal.js';
export {
  FALSE,
  type Filter,
  type ListRequest,
  type Page,
  type Scope,
  type Sort,
  TRUE,
} from './listing.js';
export * from './metering-label.repo.js';
export * from './metering-label-rule.repo.js';
export * from './migrations.js';
export * from './network.repo.js';
export * from './network.store.js';
export * from './network-ip-availability.repo.js';
export { PORT_FIELDS, type PortOnNetwork } from './port.listing.js';
export * from './port.repo.js';
export * from './port.store.js';
export * from './port-forwarding.repo.js';
export * from './port-forwarding.store.js';
export * from './qos-policy.repo.js';
export * from './qos-policy.store.js';
export * from './quota.repo.js';
export * from './rbac-policy.repo.js';
export * from './rbac-policy.store.js';
export * from './router.repo.js';
export * from './router.store.js';
export { type GatewayWish, notExternal } from './router-gateway.js';
export * from './router-interface.store.js';
export * from './security-group.repo.js';
export * from './security-group.store.js';
export { RULE_FIELDS, type RuleDraft, SecurityGroupRuleRepo } from './security-group-rule.repo.js';
export * from './segment.repo.js';
export * from './segment.store.js';
export * from './server-news.repo.js';
export * from './server-port.store.js';
export * from './service-profile.repo.js';
export * from './sharing.js';
export * from './subnet.repo.js';
export * from './subnet.store.js';
export * from './subnet-pool.repo.js';
export * from './subnet-pool.store.js';
export * from './tag.store.js';
export * from './trunk.repo.js';
export * from './trunk.store.js';
