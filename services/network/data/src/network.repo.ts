/** Networks. Each comes with its metadata port; both live and die together. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import { METADATA_OWNER, metadataDevice, type Network, networkInUse } from '#services/network/domain';
import {
  byBoolean,
  byInteger,
  byText,
  byUuid,
  constant,
  type ListRequest,
  type ListSpec,
  listSql,
  type Page,
  pageOf,
  type Scope,
  since,
} from './listing.js';

interface Row {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly admin_state_up: boolean;
  readonly shared: boolean;
  readonly mtu: number;
  readonly port_security: boolean;
  readonly segmentation_id: number;
  readonly subnet_ids: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const SELECT = `n.*, array(select s.id::text from subnet s where s.network_id = n.id order by s.created_at, s.id) as subnet_ids`;

const toNetwork = (row: Row): Network => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  adminStateUp: row.admin_state_up,
  shared: row.shared,
  mtu: row.mtu,
  portSecurity: row.port_security,
  segmentationId: row.segmentation_id,
  subnetIds: row.subnet_ids,
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
    shared: byBoolean('n.shared'),
    mtu: byInteger('n.mtu'),
    status: constant('ACTIVE'),
    'router:external': constant('false'),
    port_security_enabled: byBoolean('n.port_security'),
    revision_number: byInteger('n.revision'),
    'provider:network_type': constant('geneve'),
    'provider:physical_network': constant(''),
    'provider:segmentation_id': byInteger('n.segmentation_id'),
    changed_since: since('n.updated_at'),
  },
  sortable: {
    id: 'n.id',
    name: 'n.name',
    project_id: 'n.project_id',
    tenant_id: 'n.project_id',
    admin_state_up: 'n.admin_state_up',
    shared: 'n.shared',
    mtu: 'n.mtu',
    created_at: 'n.created_at',
    updated_at: 'n.updated_at',
  },
};
export const NETWORK_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type NewNetwork = Omit<Network, 'segmentationId' | 'subnetIds' | 'revision' | 'createdAt' | 'updatedAt'> & {
  /** Undefined: the next free one. */
  readonly segmentationId: number | undefined;
  readonly metadataPortId: string;
  readonly metadataMac: string;
};
export type NetworkChange = Partial<
  Pick<Network, 'name' | 'description' | 'adminStateUp' | 'shared' | 'mtu' | 'portSecurity'>
>;

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
    const { text, params } = listSql(LIST, request, (bind) =>
      scope === 'all' ? 'true' : `(n.project_id = ${bind(scope.projectId)} or n.shared)`,
    );
    return pageOf((await on.query<Row>(text, params)).map(toNetwork), request);
  }

  /** Networks that a server of the project may be put on without being named. */
  async usableBy(on: Sql, projectId: string): Promise<Network[]> {
    const rows = await on.query<Row>(
      `select ${SELECT} from network n where n.project_id = $1 or n.shared order by n.created_at, n.id`,
      [projectId],
    );
    return rows.map(toNetwork);
  }

  async insert(tx: Tx, network: NewNetwork, now: Date): Promise<Network> {
    const row = await tx.one<Row>(
      `insert into network (id, project_id, name, description, admin_state_up, shared, mtu, port_security,
         segmentation_id, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($10::int, nextval('segmentation_id')::int), $9, $9)
       returning *, '{}'::text[] as subnet_ids`,
      [
        network.id,
        network.projectId,
        network.name,
        network.description,
        network.adminStateUp,
        network.shared,
        network.mtu,
        network.portSecurity,
        now,
        network.segmentationId,
      ],
    );
    await tx.exec(
      `insert into port (id, network_id, project_id, name, description, mac, admin_state_up, device_id, device_owner,
         status, host, vnic_type, profile, port_security, address_pairs, hostname, owned_by_server, created_at, updated_at)
       values ($1, $2, '', '', '', $3, true, $4, $5, 'DOWN', '', 'normal', '{}', false, '[]', '', false, $6, $6)`,
      [network.metadataPortId, network.id, network.metadataMac, metadataDevice(network.id), METADATA_OWNER, now],
    );
    return toNetwork(row!);
  }

  /** The network after the change, or undefined where it is gone. */
  async update(tx: Tx, id: string, change: NetworkChange, now: Date): Promise<Network | undefined> {
    const row = await tx.one<Row>(
      `update network n set name = coalesce($2, name), description = coalesce($3, description),
         admin_state_up = coalesce($4, admin_state_up), shared = coalesce($5, shared), mtu = coalesce($6, mtu),
         port_security = coalesce($7, port_security), revision = revision + 1, updated_at = $8
       where n.id = $1 returning ${SELECT}`,
      [id, change.name, change.description, change.adminStateUp, change.shared, change.mtu, change.portSecurity, now],
    );
    return row && toNetwork(row);
  }

  /** True when a project other than the given one has a port on the network. */
  async hasForeignPorts(on: Sql, id: string, projectId: string): Promise<boolean> {
    const row = await on.one(`select 1 from port where network_id = $1 and project_id not in ($2, '') limit 1`, [
      id,
      projectId,
    ]);
    return row !== undefined;
  }

  /**
   * Deletes the network with its metadata port and its subnets, and says which subnets those were. Throws
   * `NetworkInUse` while any other port stands on it, also one that is made at this moment.
   */
  async delete(tx: Tx, id: string): Promise<{ readonly id: string; readonly projectId: string }[]> {
    const used = await tx.one(`select 1 from port where network_id = $1 and device_owner <> $2 limit 1`, [
      id,
      METADATA_OWNER,
    ]);
    if (used) throw networkInUse(id);
    await tx.exec('delete from port where network_id = $1 and device_owner = $2', [id, METADATA_OWNER]);
    const subnets = await tx.query<{ id: string; project_id: string }>(
      'delete from subnet where network_id = $1 returning id, project_id',
      [id],
    );
    await tx.exec('delete from network where id = $1', [id]);
    return subnets.map((subnet) => ({ id: subnet.id, projectId: subnet.project_id }));
  }
}

export const isSegmentTaken = (error: unknown): boolean => isViolation(error, 'unique', 'network_segmentation_id_key');

/** A network that got a port or subnet while it was deleted. To be caught outside the transaction. */
export const isNetworkStillUsed = (error: unknown): boolean =>
  isViolation(error, 'foreignKey', 'port_network_id_fkey') ||
  isViolation(error, 'foreignKey', 'subnet_network_id_fkey') ||
  isViolation(error, 'foreignKey', 'ip_allocation_subnet_id_fkey');
