/**
 * Who may do what, under upstream's names. A network's owner has rights over the subnets and ports on it; a shared
 * network may be seen and used by all. Rules of single attributes are asked for by handlers and views.
 */
import {
  ADMIN,
  any,
  type Check,
  everyone,
  PROJECT_MANAGER,
  PROJECT_MEMBER,
  PROJECT_READER,
  type Rule,
  role,
  rule,
} from '#libs/platform/policy';
import { EVERYONE, type QosRuleType, reaches, type Targets } from '#services/network/domain';

interface OnNetwork {
  readonly networkProjectId?: string;
  readonly networkSharedWith?: Targets;
  readonly sharedWith?: Targets;
  readonly externalTo?: Targets;
  readonly networkExternalTo?: Targets;
}

const seenIn = (target: unknown): OnNetwork => target as OnNetwork;

const ownerOfNetwork = (role: string): Check => ({
  text: `(role:${role} and project_id:%(network:project_id)s)`,
  test: (who, target) =>
    who.roles.has(role) && who.projectId !== undefined && who.projectId === seenIn(target).networkProjectId,
});
/** Shared with everyone or with the caller's project; whatever can be shared knows its targets. */
const isShared: Check = {
  text: 'rule:shared',
  test: (who, target) =>
    reaches([...(seenIn(target).sharedWith ?? []), ...(seenIn(target).networkSharedWith ?? [])], who.projectId),
};
const isExternal: Check = {
  text: 'rule:external',
  test: (who, target) =>
    reaches([...(seenIn(target).externalTo ?? []), ...(seenIn(target).networkExternalTo ?? [])], who.projectId),
};

/** To share with everyone is the administrators' to do. */
const RESTRICT_WILDCARD: Check = {
  text: '(rule:admin_only or not field:rbac_policy:target_tenant=*)',
  test: (who, target) => (target as { readonly target?: string }).target !== EVERYONE || ADMIN.test(who, target),
};

const MEMBER_OR_NET_OWNER = any(PROJECT_MEMBER, ownerOfNetwork('member'));
const READER_OR_NET_OWNER = any(PROJECT_READER, ownerOfNetwork('reader'));
/** Who reports what carries the packets. */
const DATA_PLANE: Check = {
  text: 'role:data_plane_integrator',
  test: (who) => who.roles.has('data_plane_integrator'),
};
const NET_OWNER = any(ADMIN, ownerOfNetwork('member'));

export const R = {
  createNetwork: rule('create_network', PROJECT_MEMBER),
  getNetwork: rule('get_network', any(PROJECT_READER, isShared, isExternal)),
  updateNetwork: rule('update_network', PROJECT_MEMBER),
  deleteNetwork: rule('delete_network', PROJECT_MEMBER),
  createSubnet: rule('create_subnet', PROJECT_MEMBER),
  getSubnet: rule('get_subnet', any(READER_OR_NET_OWNER, isShared, isExternal)),
  updateSubnet: rule('update_subnet', MEMBER_OR_NET_OWNER),
  deleteSubnet: rule('delete_subnet', MEMBER_OR_NET_OWNER),
  createSegment: rule('create_segment', ADMIN),
  getSegment: rule('get_segment', ADMIN),
  updateSegment: rule('update_segment', ADMIN),
  deleteSegment: rule('delete_segment', ADMIN),
  createPort: rule('create_port', PROJECT_MEMBER),
  getPort: rule('get_port', READER_OR_NET_OWNER),
  updatePort: rule('update_port', PROJECT_MEMBER),
  deletePort: rule('delete_port', MEMBER_OR_NET_OWNER),
  createRouter: rule('create_router', PROJECT_MEMBER),
  getRouter: rule('get_router', PROJECT_READER),
  updateRouter: rule('update_router', PROJECT_MEMBER),
  deleteRouter: rule('delete_router', PROJECT_MEMBER),
  addRouterInterface: rule('add_router_interface', PROJECT_MEMBER),
  removeRouterInterface: rule('remove_router_interface', PROJECT_MEMBER),
  addExtraRoutes: rule('add_extraroutes', PROJECT_MEMBER),
  removeExtraRoutes: rule('remove_extraroutes', PROJECT_MEMBER),
  createFloatingIp: rule('create_floatingip', PROJECT_MEMBER),
  getFloatingIp: rule('get_floatingip', PROJECT_READER),
  updateFloatingIp: rule('update_floatingip', PROJECT_MEMBER),
  deleteFloatingIp: rule('delete_floatingip', PROJECT_MEMBER),
  getFloatingIpPool: rule('get_floatingip_pool', everyone),
  createForwarding: rule('create_floatingip_port_forwarding', PROJECT_MEMBER),
  getForwarding: rule('get_floatingip_port_forwarding', PROJECT_READER),
  updateForwarding: rule('update_floatingip_port_forwarding', PROJECT_MEMBER),
  deleteForwarding: rule('delete_floatingip_port_forwarding', PROJECT_MEMBER),
  createGroup: rule('create_security_group', PROJECT_MEMBER),
  getGroup: rule('get_security_group', any(PROJECT_READER, isShared)),
  updateGroup: rule('update_security_group', PROJECT_MEMBER),
  deleteGroup: rule('delete_security_group', PROJECT_MEMBER),
  createRule: rule('create_security_group_rule', PROJECT_MEMBER),
  getRule: rule('get_security_group_rule', PROJECT_READER),
  deleteRule: rule('delete_security_group_rule', PROJECT_MEMBER),
  createQosPolicy: rule('create_policy', ADMIN),
  getQosPolicy: rule('get_policy', any(PROJECT_READER, isShared)),
  updateQosPolicy: rule('update_policy', ADMIN),
  deleteQosPolicy: rule('delete_policy', ADMIN),
  getQosRuleType: rule('get_rule_type', everyone),
  getQosRuleTypeDrivers: rule('get_rule_type:drivers', ADMIN),
  createDefaultRule: rule('create_default_security_group_rule', ADMIN),
  getDefaultRule: rule('get_default_security_group_rule', role('reader')),
  deleteDefaultRule: rule('delete_default_security_group_rule', ADMIN),
  createDefaultStatefulness: rule('create_security_groups_default_statefulness', PROJECT_MANAGER),
  getDefaultStatefulness: rule('get_security_groups_default_statefulness', PROJECT_READER),
  updateDefaultStatefulness: rule('update_security_groups_default_statefulness', PROJECT_MANAGER),
  deleteDefaultStatefulness: rule('delete_security_groups_default_statefulness', PROJECT_MANAGER),
  createAddressGroup: rule('create_address_group', PROJECT_MEMBER),
  getAddressGroup: rule('get_address_group', any(PROJECT_READER, isShared)),
  updateAddressGroup: rule('update_address_group', PROJECT_MEMBER),
  addAddresses: rule('add_addresses', PROJECT_MEMBER),
  removeAddresses: rule('remove_addresses', PROJECT_MEMBER),
  deleteAddressGroup: rule('delete_address_group', PROJECT_MEMBER),
  createAddressScope: rule('create_address_scope', PROJECT_MEMBER),
  getAddressScope: rule('get_address_scope', any(PROJECT_READER, isShared)),
  updateAddressScope: rule('update_address_scope', PROJECT_MEMBER),
  deleteAddressScope: rule('delete_address_scope', PROJECT_MEMBER),
  createSubnetPool: rule('create_subnetpool', PROJECT_MEMBER),
  getSubnetPool: rule('get_subnetpool', any(PROJECT_READER, isShared)),
  updateSubnetPool: rule('update_subnetpool', PROJECT_MEMBER),
  addPrefixes: rule('add_prefixes', PROJECT_MEMBER),
  removePrefixes: rule('remove_prefixes', PROJECT_MEMBER),
  onboardSubnets: rule('onboard_network_subnets', PROJECT_MEMBER),
  deleteSubnetPool: rule('delete_subnetpool', PROJECT_MEMBER),
  createRbacPolicy: rule('create_rbac_policy', PROJECT_MEMBER),
  getRbacPolicy: rule('get_rbac_policy', PROJECT_READER),
  updateRbacPolicy: rule('update_rbac_policy', PROJECT_MEMBER),
  deleteRbacPolicy: rule('delete_rbac_policy', PROJECT_MEMBER),
  createTrunk: rule('create_trunk', PROJECT_MEMBER),
  getTrunk: rule('get_trunk', PROJECT_READER),
  updateTrunk: rule('update_trunk', PROJECT_MEMBER),
  deleteTrunk: rule('delete_trunk', PROJECT_MEMBER),
  getSubports: rule('get_subports', PROJECT_READER),
  addSubports: rule('add_subports', PROJECT_MEMBER),
  removeSubports: rule('remove_subports', PROJECT_MEMBER),
  getQuota: rule('get_quota', PROJECT_READER),
  listQuotas: rule('get_quotas', ADMIN),
  updateQuota: rule('update_quota', ADMIN),
  deleteQuota: rule('delete_quota', ADMIN),
  getExtension: rule('get_extension', everyone),
  getZone: rule('get_availability_zone', PROJECT_READER),
  getAutoTopology: rule('get_auto_allocated_topology', PROJECT_READER),
  deleteAutoTopology: rule('delete_auto_allocated_topology', PROJECT_MEMBER),
  createFlavor: rule('create_flavor', ADMIN),
  getFlavor: rule('get_flavor', role('reader')),
  updateFlavor: rule('update_flavor', ADMIN),
  deleteFlavor: rule('delete_flavor', ADMIN),
  createFlavorProfile: rule('create_flavor_service_profile', ADMIN),
  deleteFlavorProfile: rule('delete_flavor_service_profile', ADMIN),
  createServiceProfile: rule('create_service_profile', ADMIN),
  getServiceProfile: rule('get_service_profile', ADMIN),
  updateServiceProfile: rule('update_service_profile', ADMIN),
  deleteServiceProfile: rule('delete_service_profile', ADMIN),
  getServiceProvider: rule('get_service_provider', everyone),
  createMeteringLabel: rule('create_metering_label', ADMIN),
  listMeteringLabels: rule('get_metering_labels', everyone),
  getMeteringLabel: rule('get_metering_label', ADMIN),
  deleteMeteringLabel: rule('delete_metering_label', ADMIN),
  createMeteringLabelRule: rule('create_metering_label_rule', ADMIN),
  listMeteringLabelRules: rule('get_metering_label_rules', everyone),
  getMeteringLabelRule: rule('get_metering_label_rule', ADMIN),
  deleteMeteringLabelRule: rule('delete_metering_label_rule', ADMIN),
  listIpAvailabilities: rule('get_network_ip_availabilities', everyone),
  getIpAvailability: rule('get_network_ip_availability', ADMIN),
  listAgents: rule('get_agents', everyone),
  getAgent: rule('get_agent', ADMIN),
  updateAgent: rule('update_agent', ADMIN),
  deleteAgent: rule('delete_agent', ADMIN),
  getRouterAgents: rule('get_l3-agents', ADMIN),
  getAgentRouters: rule('get_l3-routers', ADMIN),
  getNetworkAgents: rule('get_dhcp-agents', ADMIN),
} as const satisfies Record<string, Rule>;

/** Rules of QoS are seen with their policy, by either of their two paths, and written by administrators. */
export const qosRuleRules = (type: QosRuleType, path: 'policy' | 'alias') => ({
  create: rule(`create_${path}_${type}_rule`, ADMIN),
  get: rule(`get_${path}_${type}_rule`, any(PROJECT_READER, isShared)),
  update: rule(`update_${path}_${type}_rule`, ADMIN),
  delete: rule(`delete_${path}_${type}_rule`, ADMIN),
});

/** Rules of single attributes, by the attribute's name on the wire. */
const attribute = (name: string, check: Check): Rule => rule(name, check);

export const ATTRIBUTE_RULES: readonly Rule[] = [
  attribute('create_address_scope:shared', ADMIN),
  attribute('update_address_scope:shared', ADMIN),
  attribute('create_subnetpool:shared', ADMIN),
  attribute('create_subnetpool:is_default', ADMIN),
  attribute('update_subnetpool:is_default', ADMIN),
  attribute('create_network:shared', ADMIN),
  attribute('create_network:router:external', ADMIN),
  attribute('create_network:is_default', ADMIN),
  attribute('create_network:provider', ADMIN),
  attribute('get_network:provider', ADMIN),
  attribute('update_network:shared', ADMIN),
  attribute('update_network:router:external', ADMIN),
  attribute('update_network:is_default', ADMIN),
  attribute('update_network:provider', ADMIN),
  attribute('create_network:segments', ADMIN),
  attribute('create_rbac_policy:target_tenant', RESTRICT_WILDCARD),
  attribute('update_rbac_policy:target_tenant', RESTRICT_WILDCARD),
  attribute('create_subnet:segment_id', ADMIN),
  attribute('get_subnet:segment_id', ADMIN),
  attribute('update_subnet:segment_id', ADMIN),
  attribute('create_subnet:service_types', ADMIN),
  attribute('update_subnet:service_types', ADMIN),
  attribute('update_port:data_plane_status', any(ADMIN, DATA_PLANE)),
  attribute('create_router:distributed', ADMIN),
  attribute('create_router:ha', ADMIN),
  attribute('create_router:external_gateway_info:enable_snat', ADMIN),
  attribute('create_router:external_gateway_info:external_fixed_ips', ADMIN),
  attribute('get_router:distributed', ADMIN),
  attribute('get_router:ha', ADMIN),
  attribute('update_router:distributed', ADMIN),
  attribute('update_router:ha', ADMIN),
  attribute('update_router:external_gateway_info:enable_snat', ADMIN),
  attribute('update_router:external_gateway_info:external_fixed_ips', ADMIN),
  attribute('create_floatingip:floating_ip_address', ADMIN),
  attribute('create_port:mac_address', NET_OWNER),
  attribute('create_port:fixed_ips:ip_address', NET_OWNER),
  attribute('create_port:port_security_enabled', NET_OWNER),
  attribute('create_port:allowed_address_pairs', NET_OWNER),
  attribute('create_port:device_owner', NET_OWNER),
  attribute('create_port:binding', ADMIN),
  attribute('get_port:binding', ADMIN),
  attribute('update_port:mac_address', any(ADMIN, ownerOfNetwork('manager'))),
  attribute('update_port:fixed_ips:ip_address', NET_OWNER),
  attribute('update_port:port_security_enabled', NET_OWNER),
  attribute('update_port:allowed_address_pairs', NET_OWNER),
  attribute('update_port:device_owner', NET_OWNER),
  attribute('update_port:binding', ADMIN),
];
