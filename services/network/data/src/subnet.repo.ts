/** Subnets. That two of one network never overlap is the database's to keep. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { AddressRange, Ipv6Mode, Route, Subnet, Targets } from '#services/network/domain';
import {
  byBoolean,
  byInteger,
  byNullableText,
  byTags,
  byText,
  byUuid,
  type ListRequest,
  type ListSpec,
  listSql,
  type Page,
  pageOf,
  type Scope,
  sharedSql,
  since,
  targetsSql,
} from './listing.js';

interface Row {
  readonly id: string;
  readonly network_id: string;
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly version: 4 | 6;
  readonly cidr: string;
  readonly gateway: string | null;
  readonly dhcp: boolean;
  readonly pools: readonly AddressRange[];
  readonly dns: readonly string[];
  readonly routes: readonly Route[];
  readonly address_mode: Ipv6Mode | null;
  readonly ra_mode: Ipv6Mode | null;
  readonly service_types: readonly string[];
  readonly dns_publish_fixed_ip: boolean;
  readonly pool_id: string | null;
  readonly segment_id: string | null;
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const isExternal = '(select n.external from network n where n.id = s.network_id)';
const SELECT = `s.id, s.network_id, s.project_id, s.name, s.description, s.version, s.cidr::text as cidr,
  host(s.gateway) as gateway, s.dhcp, s.pools, s.dns, s.routes, s.address_mode, s.ra_mode, s.service_types,
  s.dns_publish_fixed_ip, s.pool_id, s.segment_id, s.tags, s.revision, s.created_at, s.updated_at`;

const toSubnet = (row: Row): Subnet => ({
  id: row.id,
  networkId: row.network_id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  version: row.version,
  cidr: row.cidr,
  gateway: row.gateway,
  dhcp: row.dhcp,
  pools: row.pools,
  dns: row.dns,
  routes: row.routes,
  addressMode: row.address_mode,
  raMode: row.ra_mode,
  serviceTypes: row.service_types,
  dnsPublishFixedIp: row.dns_publish_fixed_ip,
  poolId: row.pool_id,
  segmentId: row.segment_id,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: `${SELECT}, ${isExternal} as external`,
  from: 'subnet s',
  id: 's.id',
  filters: {
    id: byUuid('s.id'),
    name: byText('s.name'),
    network_id: byUuid('s.network_id'),
    project_id: byText('s.project_id'),
    tenant_id: byText('s.project_id'),
    description: byText('s.description'),
    ip_version: byInteger('s.version'),
    cidr: byText('s.cidr::text'),
    subnetpool_id: byNullableText('s.pool_id::text'),
    segment_id: byNullableText('s.segment_id::text'),
    gateway_ip: byNullableText('host(s.gateway)'),
    enable_dhcp: byBoolean('s.dhcp'),
    'router:external': byBoolean(isExternal),
    dns_publish_fixed_ip: byBoolean('s.dns_publish_fixed_ip'),
    service_types: (values, bind) => `s.service_types && ${bind(values)}::text[]`,
    ipv6_address_mode: byNullableText('s.address_mode'),
    ipv6_ra_mode: byNullableText('s.ra_mode'),
    shared: (values, bind) =>
      `exists (select 1 from rbac_policy r where r.object_id = s.network_id and r.action = 'access_as_shared' and r.target = '*')
       = any(${bind(values)}::boolean[])`,
    revision_number: byInteger('s.revision'),
    changed_since: since('s.updated_at'),
    ...byTags('s.tags'),
  },
  sortable: {
    id: 's.id',
    name: 's.name',
    network_id: 's.network_id',
    project_id: 's.project_id',
    tenant_id: 's.project_id',
    ip_version: 's.version',
    cidr: 's.cidr',
    enable_dhcp: 's.dhcp',
    created_at: 's.created_at',
    updated_at: 's.updated_at',
  },
};
export const SUBNET_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

interface Around {
  readonly external: boolean;
  readonly shared_with: Targets;
  readonly external_to: Targets;
  readonly owner: string;
}

/** A subnet that says whether its network leads out of the cloud. */
export type SubnetSeen = Subnet & { readonly external: boolean };
/** A subnet with what policy asks of its network. */
export type SubnetOnNetwork = SubnetSeen & {
  readonly networkSharedWith: Targets;
  readonly networkExternalTo: Targets;
  readonly networkProjectId: string;
};
export type NewSubnet = Omit<Subnet, 'tags' | 'revision' | 'createdAt' | 'updatedAt'>;
export type SubnetChange = Partial<
  Pick<
    Subnet,
    | 'name'
    | 'description'
    | 'gateway'
    | 'dhcp'
    | 'pools'
    | 'dns'
    | 'routes'
    | 'serviceTypes'
    | 'dnsPublishFixedIp'
    | 'segmentId'
  >
>;

export class SubnetRepo {
  /** The subnet with what policy asks of its network. */
  async find(on: Sql, id: string): Promise<SubnetOnNetwork | undefined> {
    const row = await on.one<Row & Around>(
      {
        name: 'subnet-find',
        text: `select ${SELECT}, ${targetsSql('n', 'access_as_shared')} as shared_with,
          ${targetsSql('n', 'access_as_external')} as external_to, n.external, n.project_id as owner from subnet s join network n on n.id = s.network_id where s.id = $1`,
      },
      [id],
    );
    return (
      row && {
        ...toSubnet(row),
        external: row.external,
        networkSharedWith: row.shared_with,
        networkExternalTo: row.external_to,
        networkProjectId: row.owner,
      }
    );
  }

  async findMany(on: Sql, ids: readonly string[]): Promise<Subnet[]> {
    if (ids.length === 0) return [];
    const rows = await on.query<Row>(`select ${SELECT} from subnet s where s.id = any($1::uuid[])`, [ids]);
    return rows.map(toSubnet);
  }

  /** Subnets of several networks, oldest first. */
  async ofNetworks(on: Sql, networkIds: readonly string[]): Promise<Subnet[]> {
    if (networkIds.length === 0) return [];
    const rows = await on.query<Row>(
      {
        name: 'subnet-of-networks',
        text: `select ${SELECT} from subnet s where s.network_id = any($1::uuid[]) order by s.created_at, s.id`,
      },
      [networkIds],
    );
    return rows.map(toSubnet);
  }

  /** IPv4 subnets of the networks that are external to a project. */
  async forFloatingIps(on: Sql, scope: Scope): Promise<Subnet[]> {
    const project = scope === 'all' ? '' : scope.projectId;
    const rows = await on.query<Row>(
      `select ${SELECT} from subnet s join network n on n.id = s.network_id
       where s.version = 4 and n.external and ($2 or n.project_id = $1 or ${sharedSql('n', '$1', 'access_as_external')})
       order by s.created_at, s.id`,
      [project, scope === 'all'],
    );
    return rows.map(toSubnet);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<SubnetSeen>> {
    const { text, params } = listSql(LIST, request, (bind) => {
      if (scope === 'all') return 'true';
      const own = bind(scope.projectId);
      const onShared = sharedSql('n', own, 'access_as_shared', 'access_as_external');
      return `(s.project_id = ${own} or s.network_id in (select n.id from network n where n.project_id = ${own} or ${onShared}))`;
    });
    const rows = await on.query<Row & { external: boolean }>(text, params);
    return pageOf(
      rows.map((row) => ({ ...toSubnet(row), external: row.external })),
      request,
    );
  }

  /** Throws a violation of `subnet_overlap` where another subnet of the network has an address in common. */
  async insert(tx: Tx, subnet: NewSubnet, now: Date): Promise<Subnet> {
    await tx.exec(
      `insert into subnet (id, network_id, project_id, name, description, version, cidr, gateway, dhcp, pools, dns,
         routes, address_mode, ra_mode, service_types, dns_publish_fixed_ip, pool_id, segment_id, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $16, $17, $18, $19, $15, $15)`,
      [
        subnet.id,
        subnet.networkId,
        subnet.projectId,
        subnet.name,
        subnet.description,
        subnet.version,
        subnet.cidr,
        subnet.gateway,
        subnet.dhcp,
        JSON.stringify(subnet.pools),
        subnet.dns,
        JSON.stringify(subnet.routes),
        subnet.addressMode,
        subnet.raMode,
        now,
        subnet.serviceTypes,
        subnet.dnsPublishFixedIp,
        subnet.poolId,
        subnet.segmentId,
      ],
    );
    return { ...subnet, tags: [], revision: 1, createdAt: now, updatedAt: now };
  }

  async update(tx: Tx, id: string, change: SubnetChange, now: Date): Promise<Subnet | undefined> {
    const row = await tx.one<Row>(
      `update subnet s set name = coalesce($2, name), description = coalesce($3, description),
         gateway = case when $4 then $5::inet else gateway end, dhcp = coalesce($6, dhcp), pools = coalesce($7, pools),
         dns = coalesce($8, dns), routes = coalesce($9, routes), service_types = coalesce($11, service_types),
         dns_publish_fixed_ip = coalesce($12, dns_publish_fixed_ip), segment_id = coalesce($13, segment_id), revision = revision + 1, updated_at = $10
       where s.id = $1 returning ${SELECT}`,
      [
        id,
        change.name,
        change.description,
        change.gateway !== undefined,
        change.gateway ?? null,
        change.dhcp,
        change.pools && JSON.stringify(change.pools),
        change.dns,
        change.routes && JSON.stringify(change.routes),
        now,
        change.serviceTypes,
        change.dnsPublishFixedIp,
        change.segmentId,
      ],
    );
    return row && toSubnet(row);
  }

  /** The row's lock keeps others from changing it until this transaction ends. */
  async lock(tx: Tx, id: string): Promise<Subnet | undefined> {
    const row = await tx.one<Row>(`select ${SELECT} from subnet s where s.id = $1 for update`, [id]);
    return row && toSubnet(row);
  }

  async delete(tx: Tx, id: string): Promise<boolean> {
    return (await tx.exec('delete from subnet where id = $1', [id])) === 1;
  }
}

export const isOverlap = (error: unknown): boolean => isViolation(error, 'exclusion', 'subnet_overlap');
export const isSubnetStillUsed = (error: unknown): boolean =>
  isViolation(error, 'foreignKey', 'ip_allocation_subnet_id_fkey') ||
  isViolation(error, 'foreignKey', 'router_leg_subnet');
/** A subnet that went while something was being put on it. */
export const isSubnetBound = isSubnetStillUsed;
