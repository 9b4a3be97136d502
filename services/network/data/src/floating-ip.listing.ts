/** Floating IPs as they are read and listed. */
import type { FloatingIp } from '#services/network/domain';
import { byInteger, byNullableText, byTags, byText, byUuid, type ListSpec, since } from './listing.js';

export interface FloatingIpRow {
  readonly id: string;
  readonly project_id: string;
  readonly description: string;
  readonly network_id: string;
  readonly own_port_id: string;
  readonly floating: string;
  readonly router_id: string | null;
  readonly port_id: string | null;
  readonly fixed: string | null;
  readonly dns_name: string;
  readonly dns_domain: string;
  readonly qos_policy_id: string | null;
  readonly network_qos_policy_id: string | null;
  readonly status: 'ACTIVE' | 'DOWN';
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/**
 * What OVN has of it, beside what it should have, says whether it works: on the port's node as soon as it is there (a
 * guest that is switched off keeps it), else while some node is the router's gateway.
 */
const STATUS = `case
  when f.realized = f.router_id || ' ' || host(f.fixed_address) || ' distributed' then 'ACTIVE'
  when f.realized = f.router_id || ' ' || host(f.fixed_address) || ' central'
    and exists (select 1 from router r where r.id = f.router_id and r.gateway_host <> '') then 'ACTIVE'
  when f.port_id is null
    and exists (select 1 from router r where r.id = f.router_id and r.gateway_host <> '') then 'ACTIVE'
  else 'DOWN' end`;

export const FLOATING_IP_SELECT = `f.*, host(f.address) as floating, host(f.fixed_address) as fixed, ${STATUS} as status,
  (select n.qos_policy_id from network n where n.id = f.network_id) as network_qos_policy_id`;

export const toFloatingIp = (row: FloatingIpRow): FloatingIp => ({
  id: row.id,
  projectId: row.project_id,
  description: row.description,
  networkId: row.network_id,
  ownPortId: row.own_port_id,
  address: row.floating,
  routerId: row.router_id,
  portId: row.port_id,
  fixedAddress: row.fixed,
  dnsName: row.dns_name,
  dnsDomain: row.dns_domain,
  qosPolicyId: row.qos_policy_id,
  networkQosPolicyId: row.network_qos_policy_id,
  status: row.status,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export const FLOATING_IP_LIST: ListSpec = {
  select: FLOATING_IP_SELECT,
  from: 'floatingip f',
  id: 'f.id',
  filters: {
    id: byUuid('f.id'),
    project_id: byText('f.project_id'),
    tenant_id: byText('f.project_id'),
    description: byText('f.description'),
    floating_network_id: byUuid('f.network_id'),
    floating_ip_address: byText('host(f.address)'),
    fixed_ip_address: byNullableText('host(f.fixed_address)'),
    router_id: (values, bind) => `coalesce(f.router_id::text, '') = any(${bind(values)}::text[])`,
    port_id: (values, bind) => `coalesce(f.port_id::text, '') = any(${bind(values)}::text[])`,
    status: byText(`(${STATUS})`),
    qos_policy_id: byUuid('f.qos_policy_id'),
    revision_number: byInteger('f.revision'),
    changed_since: since('f.updated_at'),
    ...byTags('f.tags'),
  },
  sortable: {
    id: 'f.id',
    project_id: 'f.project_id',
    tenant_id: 'f.project_id',
    floating_network_id: 'f.network_id',
    floating_ip_address: 'f.address',
    fixed_ip_address: 'f.fixed_address',
    router_id: 'f.router_id',
    created_at: 'f.created_at',
    updated_at: 'f.updated_at',
  },
};
export const FLOATING_IP_FIELDS = {
  filters: Object.keys(FLOATING_IP_LIST.filters),
  sorts: Object.keys(FLOATING_IP_LIST.sortable),
};
