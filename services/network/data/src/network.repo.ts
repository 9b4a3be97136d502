/** Networks. Each comes with its metadata port; both live and die together. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import {
  EVERYONE,
  LEAVING_OWNERS,
  type Network,
  type NetworkType,
  noSegmentLeft,
  type VlanRange,
} from '#services/network/domain';
import {
  byBoolean,
  byInteger,
  byNullableText,
  byTags,
  byText,
  byUuid,
  constant,
  type ListRequest,
  type ListSpec,
  listSql,
  ownOrShared,
  type Page,
  pageOf,
  type Scope,
  sharedSql,
  since,
  targetsSql,
} from './listing.js';
import { insertMetadataPort } from './metadata-port.js';

interface Row {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly admin_state_up: boolean;
  readonly shared_with: readonly string[];
  readonly external: boolean;
  readonly external_to: readonly string[];
  readonly is_default: boolean;
  readonly mtu: number;
  readonly port_security: boolean;
  readonly network_type: NetworkType;
  readonly physical_network: string | null;
  readonly segmentation_id: number | null;
  readonly tunnel_key: number;
  readonly qos_policy_id: string | null;
  readonly dns_domain: string;
  readonly zone_hints: readonly string[];
  readonly tags: readonly string[];
  readonly subnet_ids: readonly string[];
  readonly ipv4_scope_id: string | null;
  readonly ipv6_scope_id: string | null;
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** All subnets of one version on a network are from one pool. */
const scopeSql = (version: 4 | 6): string =>
  `(select l.scope_id from subnet s join subnetpool l on l.id = s.pool_id where s.network_id = n.id and s.version = ${version} limit 1)`;

const SELECT = `n.*, ${scopeSql(4)} as ipv4_scope_id, ${scopeSql(6)} as ipv6_scope_id, array(select s.id::text from subnet s where s.network_id = n.id order by s.created_at, s.id) as subnet_ids,
  ${targetsSql('n', 'access_as_shared')} as shared_with, ${targetsSql('n', 'access_as_external')} as external_to`;

const isShared = `exists (select 1 from rbac_policy r where r.object_id = n.id and r.action = 'access_as_shared' and r.target = '${EVERYONE}')`;

const toNetwork = (row: Row): Network => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  adminStateUp: row.admin_state_up,
  sharedWith: row.shared_with,
  external: row.external,
  externalTo: row.external_to,
  isDefault: row.is_default,
  mtu: row.mtu,
  portSecurity: row.port_security,
  networkType: row.network_type,
  physicalNetwork: row.physical_network,
  segmentationId: row.segmentation_id,
  tunnelKey: row.tunnel_key,
  qosPolicyId: row.qos_policy_id,
  dnsDomain: row.dns_domain,
  zoneHints: row.zone_hints,
  tags: row.tags,
  subnetIds: row.subnet_ids,
  ipv4ScopeId: row.ipv4_scope_id,
  ipv6ScopeId: row.ipv6_scope_id,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: SELECT,
  from: 'network n',
  id: 'n.id',
  filters: {
    id: byUuid('n.id'),
    name: byText('n.name'),
    project_id: byText('n.project_id'),
    tenant_id: byText('n.project_id'),
    description: byText('n.description'),
    admin_state_up: byBoolean('n.admin_state_up'),
    shared: byBoolean(isShared),
    mtu: byInteger('n.mtu'),
    status: constant('ACTIVE'),
    'router:external': byBoolean('n.external'),
    is_default: byBoolean('n.is_default'),
    port_security_enabled: byBoolean('n.port_security'),
    revision_number: byInteger('n.revision'),
    qos_policy_id: byUuid('n.qos_policy_id'),
    dns_domain: byText('n.dns_domain'),
    'provider:network_type': byText('n.network_type'),
    'provider:physical_network': byNullableText('n.physical_network'),
    'provider:segmentation_id': byInteger('n.segmentation_id'),
    changed_since: since('n.updated_at'),
    ...byTags('n.tags'),
  },
  sortable: {
    id: 'n.id',
    name: 'n.name',
    project_id: 'n.project_id',
    tenant_id: 'n.project_id',
    admin_state_up: 'n.admin_state_up',
    shared: isShared,
    mtu: 'n.mtu',
    created_at: 'n.created_at',
    updated_at: 'n.updated_at',
  },
};
export const NETWORK_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type NewNetwork = Omit<
  Network,
  | 'segmentationId'
  | 'tunnelKey'
  | 'qosPolicyId'
  | 'sharedWith'
  | 'externalTo'
  | 'tags'
  | 'subnetIds'
  | 'ipv4ScopeId'
  | 'ipv6ScopeId'
  | 'revision'
  | 'createdAt'
  | 'updatedAt'
> & {
  /** Undefined: the next free one of a tunnel or of the VLANs, none of a flat network. */
  readonly segmentationId: number | undefined;
  readonly vlans?: VlanRange | undefined;
  readonly segmentId: string;
  readonly metadataPortId: string;
  readonly metadataMac: string;
};
type Changeable = Pick<
  Network,
  'name' | 'description' | 'adminStateUp' | 'external' | 'isDefault' | 'mtu' | 'portSecurity' | 'dnsDomain'
>;
export type NetworkChange = { readonly [K in keyof Changeable]?: Changeable[K] | undefined };

export class NetworkRepo {
  async find(on: Sql, id: string): Promise<Network | undefined> {
    const row = await on.one<Row>({ name: 'network-find', text: `select ${SELECT} from network n where n.id = $1` }, [
      id,
    ]);
    return row && toNetwork(row);
  }

  /** Several by id; absent ones are left out. */
  async findMany(on: Sql, ids: readonly string[]): Promise<Network[]> {
    if (ids.length === 0) return [];
    const rows = await on.query<Row>(
      { name: 'network-find-many', text: `select ${SELECT} from network n where n.id = any($1::uuid[])` },
      [ids],
    );
    return rows.map(toNetwork);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<Network>> {
    const visible = ownOrShared('n', scope, 'access_as_shared', 'access_as_external');
    const { text, params } = listSql(LIST, request, visible);
    return pageOf((await on.query<Row>(text, params)).map(toNetwork), request);
  }

  /** The way out that is taken where nobody says which. */
  async defaultOutside(on: Sql): Promise<Network | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from network n where n.is_default and n.external`);
    return row && toNetwork(row);
  }

  /** Networks that a server of the project may be put on without being named. */
  async usableBy(on: Sql, projectId: string): Promise<Network[]> {
    const rows = await on.query<Row>(
      `select ${SELECT} from network n
       where n.project_id = $1 or ${sharedSql('n', '$1', 'access_as_shared')} order by n.created_at, n.id`,
      [projectId],
    );
    return rows.map(toNetwork);
  }

  async insert(tx: Tx, network: NewNetwork, now: Date): Promise<Network> {
    const segmentationId = network.segmentationId ?? (await this.freeVlan(tx, network));
    const row = await tx.one<Row>(
      `with k as (select case when $10 = 'geneve' and $12::int is not null then $12::int
           else nextval('network_tunnel_key')::int end as key)
       insert into network (id, project_id, name, description, admin_state_up, external, mtu, port_security, is_default,
         network_type, physical_network, segmentation_id, tunnel_key, dns_domain, zone_hints, created_at, updated_at)
       select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
         case when $10 = 'geneve' then k.key else $12::int end, k.key, $14, $15, $13, $13 from k
       returning *, '{}'::text[] as subnet_ids, null::uuid as ipv4_scope_id, null::uuid as ipv6_scope_id, '{}'::text[] as shared_with, '{}'::text[] as external_to`,
      [
        network.id,
        network.projectId,
        network.name,
        network.description,
        network.adminStateUp,
        network.external,
        network.mtu,
        network.portSecurity,
        network.isDefault,
        network.networkType,
        network.physicalNetwork,
        segmentationId,
        now,
        network.dnsDomain,
        network.zoneHints,
      ],
    );
    const metadata = { id: network.metadataPortId, networkId: network.id, mac: network.metadataMac };
    await insertMetadataPort(tx, metadata, now);
    await tx.exec('insert into segment (id, network_id, created_at, updated_at) values ($1, $2, $3, $3)', [
      network.segmentId,
      network.id,
      now,
    ]);
    return toNetwork(row!);
  }

  /** The lowest free id of the range. Those who ask for one of the same physical network wait for each other. */
  private async freeVlan(tx: Tx, { vlans, physicalNetwork }: NewNetwork): Promise<number | undefined> {
    if (!vlans) return undefined;
    await tx.exec(`select pg_advisory_xact_lock(hashtext('vlan'), hashtext($1))`, [physicalNetwork]);
    const row = await tx.one<{ id: number }>(
      `select v as id from generate_series($2::int, $3::int) v where not exists (
         select 1 from network where network_type = 'vlan' and physical_network = $1 and segmentation_id = v)
       order by v limit 1`,
      [physicalNetwork, ...vlans],
    );
    if (!row) throw noSegmentLeft(physicalNetwork ?? '');
    return row.id;
  }

  /** The network after the change, or undefined where it is gone. */
  async update(tx: Tx, id: string, change: NetworkChange, now: Date): Promise<Network | undefined> {
    const row = await tx.one<Row>(
      `update network n set name = coalesce($2, name), description = coalesce($3, description),
         admin_state_up = coalesce($4, admin_state_up), external = coalesce($5, external), mtu = coalesce($6, mtu),
         port_security = coalesce($7, port_security), is_default = coalesce($8, is_default),
         dns_domain = coalesce($10, dns_domain),
         revision = revision + 1, updated_at = $9
       where n.id = $1 returning ${SELECT}`,
      [
        id,
        change.name,
        change.description,
        change.adminStateUp,
        change.external,
        change.mtu,
        change.portSecurity,
        change.isDefault,
        now,
        change.dnsDomain,
      ],
    );
    return row && toNetwork(row);
  }

  /** What keeps a network: ports but those that leave with it, as many as an error may name. */
  async usersOf(tx: Tx, id: string): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      'select id from port where network_id = $1 and device_owner <> all($2::text[]) order by created_at limit 20',
      [id, LEAVING_OWNERS],
    );
    return rows.map((row) => row.id);
  }

  /** The ports that leave with their network. */
  async leavingPorts(tx: Tx, id: string): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      'select id from port where network_id = $1 and device_owner = any($2::text[]) order by id',
      [id, LEAVING_OWNERS],
    );
    return rows.map((row) => row.id);
  }

  /**
   * Deletes the network with its subnets, and says which those were. A port that stands on it, also one that is made at
   * this moment, makes it a violation, to be caught outside the transaction.
   */
  async delete(tx: Tx, id: string): Promise<{ readonly id: string; readonly projectId: string }[]> {
    const subnets = await tx.query<{ id: string; project_id: string }>(
      'delete from subnet where network_id = $1 returning id, project_id',
      [id],
    );
    await tx.exec('delete from network where id = $1', [id]);
    return subnets.map((subnet) => ({ id: subnet.id, projectId: subnet.project_id }));
  }
}

export const isSegmentTaken = (error: unknown): boolean =>
  isViolation(error, 'unique', 'network_segment') || isViolation(error, 'unique', 'network_tunnel_key_once');
export const isSecondDefault = (error: unknown): boolean => isViolation(error, 'unique', 'network_default');

/** A network that got a port or subnet while it was deleted. To be caught outside the transaction. */
export const isNetworkStillUsed = (error: unknown): boolean =>
  isViolation(error, 'foreignKey', 'port_network_id_fkey') ||
  isViolation(error, 'foreignKey', 'subnet_network_id_fkey') ||
  isViolation(error, 'foreignKey', 'ip_allocation_subnet_id_fkey');
