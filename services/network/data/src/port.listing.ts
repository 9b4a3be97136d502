/** Ports as they are read and listed. */
import type { AddressPair, DhcpOption, Port, PortStatus, PortTrunk } from '#services/network/domain';
import { type Bind, byBoolean, byInteger, byTags, byText, byUuid, type ListSpec, since } from './listing.js';

export interface PortRow {
  readonly id: string;
  readonly network_id: string;
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly mac: string;
  readonly admin_state_up: boolean;
  readonly device_id: string;
  readonly device_owner: string;
  readonly status: PortStatus;
  readonly host: string;
  readonly vnic_type: string;
  readonly profile: Readonly<Record<string, unknown>>;
  readonly port_security: boolean;
  readonly address_pairs: readonly AddressPair[];
  readonly hostname: string;
  readonly owned_by_server: boolean;
  readonly qos_policy_id: string | null;
  readonly trunk: PortTrunk | null;
  readonly dns_name: string;
  readonly dns_domain: string;
  readonly dhcp_options: readonly DhcpOption[];
  readonly uplink_status: boolean;
  readonly data_plane_status: PortStatus | null;
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly ips: readonly (readonly [subnetId: string, address: string])[];
  readonly groups: readonly string[];
  readonly network_project_id: string;
  readonly network_qos_policy_id: string | null;
  readonly network_dns_domain: string;
}

/** A port with what it has from its network: the project that owns that, which has rights over it, and more. */
export type PortOnNetwork = Port & {
  readonly networkProjectId: string;
  readonly networkQosPolicyId: string | null;
  readonly networkDnsDomain: string;
};

/** Most ports are in no trunk: for them this is one look into an index. */
const TRUNK = `(select json_build_object('id', m.trunk_id, 'vlan', m.vlan,
    'parentId', (select o.port_id from trunk_port o where o.trunk_id = m.trunk_id and o.vlan is null),
    'subports', coalesce((select json_agg(json_build_object('portId', s.port_id, 'vlan', s.vlan, 'mac', sp.mac) order by s.vlan)
      from trunk_port s join port sp on sp.id = s.port_id
      where s.trunk_id = m.trunk_id and s.vlan is not null and m.vlan is null), '[]'))
  from trunk_port m where m.port_id = p.id)`;

export const PORT_SELECT = `p.*, ${TRUNK} as trunk,
  coalesce((select json_agg(json_build_array(a.subnet_id, host(a.address)) order by a.ordinal, a.address)
    from ip_allocation a where a.port_id = p.id), '[]') as ips,
  array(select g.group_id::text from port_security_group g where g.port_id = p.id order by g.group_id) as groups,
  (select n.project_id from network n where n.id = p.network_id) as network_project_id,
  (select n.qos_policy_id from network n where n.id = p.network_id) as network_qos_policy_id,
  (select n.dns_domain from network n where n.id = p.network_id) as network_dns_domain`;

export const toPort = (row: PortRow): PortOnNetwork => ({
  id: row.id,
  networkId: row.network_id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  mac: row.mac,
  adminStateUp: row.admin_state_up,
  deviceId: row.device_id,
  deviceOwner: row.device_owner,
  status: row.status,
  host: row.host,
  vnicType: row.vnic_type,
  profile: row.profile,
  portSecurity: row.port_security,
  addressPairs: row.address_pairs,
  hostname: row.hostname,
  ownedByServer: row.owned_by_server,
  qosPolicyId: row.qos_policy_id,
  trunk: row.trunk,
  dnsName: row.dns_name,
  dnsDomain: row.dns_domain,
  dhcpOptions: row.dhcp_options,
  uplinkStatus: row.uplink_status,
  dataPlaneStatus: row.data_plane_status,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  fixedIps: row.ips.map(([subnetId, address]) => ({ subnetId, address })),
  groupIds: row.groups,
  networkProjectId: row.network_project_id,
  networkQosPolicyId: row.network_qos_policy_id,
  networkDnsDomain: row.network_dns_domain,
});

/** `fixed_ips` filters read `subnet_id=X`, `ip_address=X` or `ip_address_substr=X`; all kinds that are given must match. */
function byFixedIps(values: readonly string[], bind: Bind): string {
  const given = (key: string): string[] =>
    values.flatMap((value) => (value.startsWith(`${key}=`) ? [value.slice(key.length + 1)] : []));
  const some = (condition: string): string =>
    `exists (select 1 from ip_allocation a where a.port_id = p.id and ${condition})`;
  const parts: string[] = [];
  const subnets = given('subnet_id');
  const addresses = given('ip_address');
  const pieces = given('ip_address_substr');
  if (subnets.length) parts.push(some(byUuid('a.subnet_id')(subnets, bind)));
  if (addresses.length) parts.push(some(byText('host(a.address)')(addresses, bind)));
  if (pieces.length)
    parts.push(some(`exists (select 1 from unnest(${bind(pieces)}::text[]) s where strpos(host(a.address), s) > 0)`));
  return parts.length ? `(${parts.join(' and ')})` : 'false';
}

export const PORT_LIST: ListSpec = {
  select: PORT_SELECT,
  from: 'port p',
  id: 'p.id',
  filters: {
    id: byUuid('p.id'),
    name: byText('p.name'),
    network_id: byUuid('p.network_id'),
    project_id: byText('p.project_id'),
    tenant_id: byText('p.project_id'),
    description: byText('p.description'),
    device_id: byText('p.device_id'),
    device_owner: byText('p.device_owner'),
    mac_address: (values, bind) => `p.mac::text = any(${bind(values.map((value) => value.toLowerCase()))}::text[])`,
    status: byText('p.status'),
    admin_state_up: byBoolean('p.admin_state_up'),
    fixed_ips: byFixedIps,
    security_groups: (values, bind) =>
      `exists (select 1 from port_security_group g where g.port_id = p.id and ${byUuid('g.group_id')(values, bind)})`,
    port_security_enabled: byBoolean('p.port_security'),
    qos_policy_id: byUuid('p.qos_policy_id'),
    dns_name: byText('p.dns_name'),
    'binding:host_id': byText('p.host'),
    'binding:vnic_type': byText('p.vnic_type'),
    revision_number: byInteger('p.revision'),
    changed_since: since('p.updated_at'),
    ...byTags('p.tags'),
  },
  sortable: {
    id: 'p.id',
    name: 'p.name',
    network_id: 'p.network_id',
    project_id: 'p.project_id',
    tenant_id: 'p.project_id',
    device_id: 'p.device_id',
    device_owner: 'p.device_owner',
    mac_address: 'p.mac',
    status: 'p.status',
    admin_state_up: 'p.admin_state_up',
    created_at: 'p.created_at',
    updated_at: 'p.updated_at',
  },
};
export const PORT_FIELDS = { filters: Object.keys(PORT_LIST.filters), sorts: Object.keys(PORT_LIST.sortable) };
