/** The extensions of the API, by alias. One stands here only when all of it is here. */

export interface Extension {
  readonly alias: string;
  readonly name: string;
  readonly description: string;
}

export const EXTENSIONS: readonly Extension[] = [
  {
    alias: 'address-group',
    name: 'Address Groups',
    description: 'Prefixes under one name, for rules to refer to.',
  },
  { alias: 'address-scope', name: 'Address Scope', description: 'Scopes in which no two prefixes overlap.' },
  { alias: 'agent', name: 'Agents', description: 'What runs on the nodes, for administrators.' },
  {
    alias: 'allowed-address-pairs',
    name: 'Allowed Address Pairs',
    description: 'Further addresses that a port may send from.',
  },
  {
    alias: 'auto-allocated-topology',
    name: 'Auto Allocated Topology',
    description: 'A project can have a network with a way out made for it.',
  },
  {
    alias: 'availability_zone',
    name: 'Availability Zone',
    description: 'The zones that the nodes are in.',
  },
  { alias: 'binding', name: 'Port Binding', description: 'Where a port is bound, for administrators.' },
  {
    alias: 'data-plane-status',
    name: 'Data Plane Status',
    description: 'What a watcher of the packets reports of a port.',
  },
  {
    alias: 'default-subnetpools',
    name: 'Default Subnetpools',
    description: 'A subnet can be from the pool that is the default of its version.',
  },
  { alias: 'dns-domain-ports', name: 'DNS Domain of Ports', description: 'A port can have a DNS domain of its own.' },
  {
    alias: 'dns-integration',
    name: 'DNS Integration',
    description: 'Ports have names, which OVN answers for on their networks; floating IPs keep theirs.',
  },
  {
    alias: 'dvr',
    name: 'Distributed Routers',
    description: 'Floating IPs are handled on the nodes of their ports, where these reach the outside.',
  },
  {
    alias: 'empty-string-filtering',
    name: 'Empty String Filtering',
    description: 'Lists can be filtered by empty values.',
  },
  {
    alias: 'expose-port-forwarding-in-fip',
    name: 'Port Forwardings in Floating IPs',
    description: 'A floating IP shows the ports that it forwards.',
  },
  { alias: 'ext-gw-mode', name: 'Gateway Mode', description: 'Whether a router translates what goes out can be said.' },
  { alias: 'external-net', name: 'External Network', description: 'Networks that lead out of the cloud.' },
  {
    alias: 'extra_dhcp_opt',
    name: 'Extra DHCP Options',
    description: 'A port can be told more by DHCP than its subnet.',
  },
  { alias: 'extraroute', name: 'Extra Routes', description: 'Routers can have further routes.' },
  {
    alias: 'extraroute-atomic',
    name: 'Atomic Extra Routes',
    description: 'Routes of a router can be added and removed one by one.',
  },
  {
    alias: 'filter-validation',
    name: 'Filter Validation',
    description: 'A filter by an unknown attribute is refused.',
  },
  {
    alias: 'fip-port-details',
    name: 'Ports of Floating IPs',
    description: 'A floating IP shows the port that it stands for.',
  },
  {
    alias: 'flavors',
    name: 'Flavors',
    description: 'Ways to make a router that an operator offers by name.',
  },
  {
    alias: 'floating-ip-port-forwarding',
    name: 'Port Forwarding',
    description: 'Ports of a floating IP can lead to ports of different hosts.',
  },
  {
    alias: 'floating-ip-port-forwarding-description',
    name: 'Port Forwarding Descriptions',
    description: 'Port forwardings have a description.',
  },
  {
    alias: 'floating-ip-port-forwarding-detail',
    name: 'Port Forwarding Details',
    description: 'A floating IP shows the ids of what it forwards.',
  },
  {
    alias: 'floating-ip-port-forwarding-port-ranges',
    name: 'Port Forwarding Ranges',
    description: 'Ranges of ports can be forwarded.',
  },
  {
    alias: 'floatingip-pools',
    name: 'Floating IP Pools',
    description: 'The subnets that floating IPs come from can be listed.',
  },
  {
    alias: 'ip-substring-filtering',
    name: 'IP Substring Filtering',
    description: 'Ports can be found by a part of an address.',
  },
  { alias: 'ip_allocation', name: 'IP Allocation', description: 'A port tells whether it has addresses.' },
  { alias: 'l3-flavors', name: 'Router Flavors', description: 'A router can be made of a flavor.' },
  {
    alias: 'l3-ha',
    name: 'Highly Available Routers',
    description: 'Several nodes stand ready to be the gateway of a router.',
  },
  {
    alias: 'metering',
    name: 'Metering',
    description: 'What traffic an operator wants counted, as labels and their rules.',
  },
  {
    alias: 'metering_source_and_destination_filters',
    name: 'Metering by Source and Destination',
    description: 'Rules of metering labels can name either end of the traffic.',
  },
  { alias: 'net-mtu', name: 'Network MTU', description: 'The MTU of each network.' },
  { alias: 'net-mtu-writable', name: 'Network MTU (writable)', description: 'The MTU of a network can be chosen.' },
  {
    alias: 'network-ip-availability',
    name: 'Network IP Availability',
    description: 'How many addresses networks have, and how many are taken, for administrators.',
  },
  {
    alias: 'network_availability_zone',
    name: 'Network Availability Zone',
    description: 'A network can ask for zones.',
  },
  { alias: 'pagination', name: 'Pagination', description: 'Lists come in pages, in both directions.' },
  {
    alias: 'port-mac-address-regenerate',
    name: 'MAC Address Regenerate',
    description: 'A port can be given another MAC address by null.',
  },
  {
    alias: 'port-security',
    name: 'Port Security',
    description: 'Filtering can be turned off for a port or a network.',
  },
  { alias: 'project-id', name: 'Project Id', description: 'Resources name their project as project_id.' },
  { alias: 'provider', name: 'Provider Network', description: 'How a network is realized, for administrators.' },
  {
    alias: 'qos',
    name: 'Quality of Service',
    description: 'Policies that limit and mark the traffic of ports and networks.',
  },
  {
    alias: 'qos-bw-limit-direction',
    name: 'Direction of Bandwidth Limits',
    description: 'What a port sends and what it receives can be limited apart.',
  },
  {
    alias: 'qos-bw-minimum-ingress',
    name: 'Ingress Minimum Bandwidth',
    description: 'Minimum bandwidth can be said of what a port receives.',
  },
  {
    alias: 'qos-default',
    name: 'Default QoS Policy',
    description: 'New networks of a project get its default policy.',
  },
  { alias: 'qos-fip', name: 'QoS of Floating IPs', description: 'Floating IPs are limited and marked by policies.' },
  {
    alias: 'qos-fip-network-policy',
    name: 'QoS of Floating IPs by Network',
    description: 'A floating IP without a policy of its own has that of its network, and shows it.',
  },
  {
    alias: 'qos-gateway-ip',
    name: 'QoS of Gateways',
    description: 'What goes through the gateway of a router is limited and marked by a policy.',
  },
  {
    alias: 'qos-port-network-policy',
    name: 'QoS Policy of the Network',
    description: 'A port shows the policy of its network.',
  },
  {
    alias: 'qos-rule-type-details',
    name: 'QoS Rule Type Details',
    description: 'What each type of rule can be told, for administrators.',
  },
  {
    alias: 'qos-rule-type-filter',
    name: 'QoS Rule Type Filter',
    description: 'Rule types can be listed by whether they are enforced.',
  },
  {
    alias: 'qos-rules-alias',
    name: 'QoS Rules by Id',
    description: 'Rules can be read and changed without naming their policy.',
  },
  {
    alias: 'quota-check-limit',
    name: 'Quota Limit Check',
    description: 'Limits below what is used already can be refused.',
  },
  { alias: 'quota_details', name: 'Quota Details', description: 'Limits together with what is used.' },
  { alias: 'quotas', name: 'Quotas', description: 'Limits of each project.' },
  {
    alias: 'rbac-address-group',
    name: 'RBAC for Address Groups',
    description: 'Address groups can be shared by policies.',
  },
  {
    alias: 'rbac-policies',
    name: 'RBAC Policies',
    description: 'Networks and more can be shared with single projects.',
  },
  {
    alias: 'rbac-security-groups',
    name: 'RBAC for Security Groups',
    description: 'Security groups can be shared by policies.',
  },
  { alias: 'router', name: 'Routers', description: 'Routers between networks, and floating IPs.' },
  {
    alias: 'router_availability_zone',
    name: 'Router Availability Zone',
    description: 'A router can ask for the zones of its gateway.',
  },
  {
    alias: 'security-group',
    name: 'Security Groups',
    description: 'Groups of rules that filter the traffic of ports.',
  },
  {
    alias: 'security-groups-default-rules',
    name: 'Default Security Group Rules',
    description: 'The rules that new groups begin with can be chosen.',
  },
  {
    alias: 'security-groups-default-statefulness',
    name: 'Default Statefulness',
    description: 'Whether new groups keep connections can be chosen for a project or for all.',
  },
  {
    alias: 'security-groups-normalized-cidr',
    name: 'Normalized CIDR',
    description: 'The remote prefix of a rule as it is matched.',
  },
  {
    alias: 'security-groups-remote-address-group',
    name: 'Remote Address Groups',
    description: 'A rule can refer to an address group.',
  },
  {
    alias: 'security-groups-rules-belongs-to-default-sg',
    name: 'Rules of Default Groups',
    description: 'A rule tells whether its group is the default one of a project.',
  },
  {
    alias: 'security-groups-shared-filtering',
    name: 'Shared Security Groups Filtering',
    description: 'Groups can be listed by whether they are shared.',
  },
  {
    alias: 'segment',
    name: 'Segments',
    description: 'The segment that carries each network, for administrators; subnets can name it.',
  },
  { alias: 'service-type', name: 'Service Types', description: 'Who provides which service.' },
  { alias: 'sorting', name: 'Sorting', description: 'Lists can be sorted.' },
  { alias: 'standard-attr-description', name: 'Descriptions', description: 'Resources have a description.' },
  { alias: 'standard-attr-revisions', name: 'Revision Numbers', description: 'Resources count their changes.' },
  {
    alias: 'standard-attr-segment',
    name: 'Standard Attributes of Segments',
    description: 'Segments have a description and tell when and how often they were changed.',
  },
  { alias: 'standard-attr-tag', name: 'Tags', description: 'Resources can be tagged and found by their tags.' },
  {
    alias: 'standard-attr-timestamp',
    name: 'Timestamps',
    description: 'Resources tell when they were made and changed.',
  },
  {
    alias: 'stateful-security-group',
    name: 'Stateful Security Groups',
    description: 'A group can filter without connection tracking.',
  },
  {
    alias: 'subnet-external-network',
    name: 'Subnet on External Network',
    description: 'A subnet tells whether its network leads out of the cloud.',
  },
  {
    alias: 'subnet-service-types',
    name: 'Subnet Service Types',
    description: 'A subnet can be for the ports of some kinds of devices.',
  },
  {
    alias: 'subnet_allocation',
    name: 'Subnet Allocation',
    description: 'Subnets get their prefixes from pools.',
  },
  {
    alias: 'subnet_onboard',
    name: 'Subnet Onboard',
    description: 'The subnets of a network can be taken into a pool.',
  },
  {
    alias: 'subnetpool-prefix-ops',
    name: 'Subnetpool Prefix Operations',
    description: 'Prefixes can be added to a pool and taken from it.',
  },
  { alias: 'tag-creation', name: 'Tag Creation', description: 'Several tags can be added at once.' },
  { alias: 'trunk', name: 'Trunks', description: 'A port can carry further networks as VLANs.' },
  {
    alias: 'trunk-details',
    name: 'Trunk Details',
    description: 'The parent port of a trunk shows what it carries.',
  },
  {
    alias: 'uplink-status-propagation',
    name: 'Uplink Status Propagation',
    description: 'Whether a device follows the link of its uplink.',
  },
  {
    alias: 'uplink-status-propagation-updatable',
    name: 'Uplink Status Propagation (updatable)',
    description: 'That can be changed later.',
  },
];
