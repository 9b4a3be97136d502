/** Floating IPs. That two of one network never stand for the same address is the database's to keep. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { FloatingIp, FloatingTarget } from '#services/network/domain';
import {
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
  since,
} from './listing.js';

interface Row {
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

const SELECT = `f.*, host(f.address) as floating, host(f.fixed_address) as fixed, ${STATUS} as status,
  (select n.qos_policy_id from network n where n.id = f.network_id) as network_qos_policy_id`;

const toFloatingIp = (row: Row): FloatingIp => ({
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

const LIST: ListSpec = {
  select: SELECT,
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
export const FLOATING_IP_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type NewFloatingIp = Omit<
  FloatingIp,
  | 'routerId'
  | 'portId'
  | 'fixedAddress'
  | 'qosPolicyId'
  | 'networkQosPolicyId'
  | 'status'
  | 'tags'
  | 'revision'
  | 'createdAt'
  | 'updatedAt'
>;

/** An address of a server's port, and the floating one that stands for it. */
export interface ServerFloatingIp {
  readonly serverId: string;
  readonly portId: string;
  readonly fixedAddress: string;
  readonly address: string;
}

/** What OVN has of a floating IP. */
export interface Realized {
  readonly id: string;
  /** `ROUTER ADDRESS central|distributed`, or empty. */
  readonly state: string;
}

export class FloatingIpRepo {
  async find(on: Sql, id: string): Promise<FloatingIp | undefined> {
    return (await this.findMany(on, [id]))[0];
  }

  async findMany(on: Sql, ids: readonly string[]): Promise<FloatingIp[]> {
    if (ids.length === 0) return [];
    const rows = await on.query<Row>(
      { name: 'floatingip-find-many', text: `select ${SELECT} from floatingip f where f.id = any($1::uuid[])` },
      [ids],
    );
    return rows.map(toFloatingIp);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<FloatingIp>> {
    const { text, params } = listSql(LIST, request, (bind) =>
      scope === 'all' ? 'true' : `f.project_id = ${bind(scope.projectId)}`,
    );
    return pageOf((await on.query<Row>(text, params)).map(toFloatingIp), request);
  }

  async ofRouters(on: Sql, routerIds: readonly string[]): Promise<FloatingIp[]> {
    if (routerIds.length === 0) return [];
    const rows = await on.query<Row>(
      { name: 'floatingip-of-routers', text: `select ${SELECT} from floatingip f where f.router_id = any($1::uuid[])` },
      [routerIds],
    );
    return rows.map(toFloatingIp);
  }

  async ofPorts(on: Sql, portIds: readonly string[]): Promise<FloatingIp[]> {
    if (portIds.length === 0) return [];
    const rows = await on.query<Row>(
      {
        name: 'floatingip-of-ports',
        text: `select ${SELECT} from floatingip f where f.port_id = any($1::uuid[]) order by f.created_at, f.id`,
      },
      [portIds],
    );
    return rows.map(toFloatingIp);
  }

  /** Those of servers, by the addresses that they stand for. */
  async ofServers(on: Sql, serverIds: readonly string[]): Promise<ServerFloatingIp[]> {
    if (serverIds.length === 0) return [];
    return on.query<ServerFloatingIp>(
      {
        name: 'floatingip-of-servers',
        text: `select p.device_id as "serverId", p.id as "portId", host(f.fixed_address) as "fixedAddress", host(f.address) as address
          from port p join floatingip f on f.port_id = p.id
          where p.device_id = any($1::text[]) and p.device_id <> '' order by f.created_at, f.id`,
      },
      [serverIds],
    );
  }

  /** True while a floating IP needs the router, or its leg in a subnet where one is named. */
  async areServedBy(on: Sql, routerId: string, subnetId?: string): Promise<boolean> {
    const row = await on.one(
      `select 1 from floatingip f where f.router_id = $1 and ($2::uuid is null or exists (
         select 1 from ip_allocation a where a.subnet_id = $2 and ((a.port_id = f.port_id and a.address = f.fixed_address)
           or exists (select 1 from port_forwarding w
             where w.floatingip_id = f.id and w.port_id = a.port_id and w.internal_address = a.address))))
       limit 1`,
      [routerId, subnetId ?? null],
    );
    return row !== undefined;
  }

  async insert(tx: Tx, floating: NewFloatingIp, now: Date): Promise<void> {
    await tx.exec(
      `insert into floatingip (id, project_id, description, network_id, own_port_id, address, dns_name, dns_domain,
         created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
      [
        floating.id,
        floating.projectId,
        floating.description,
        floating.networkId,
        floating.ownPortId,
        floating.address,
        floating.dnsName,
        floating.dnsDomain,
        now,
      ],
    );
  }

  async lock(tx: Tx, id: string): Promise<FloatingIp | undefined> {
    const row = await tx.one('select 1 from floatingip where id = $1 for update', [id]);
    return row === undefined ? undefined : this.find(tx, id);
  }

  /** Makes it stand for an address of a port, or for none. Throws a violation of `floatingip_once`. */
  async setTarget(tx: Tx, id: string, target: FloatingTarget | null, now: Date): Promise<void> {
    await tx.exec(
      `update floatingip set router_id = $2, port_id = $3, fixed_address = $4, revision = revision + 1, updated_at = $5
       where id = $1`,
      [id, target?.routerId ?? null, target?.portId ?? null, target?.address ?? null, now],
    );
  }

  /** Says which router forwards its ports. */
  async setRouter(tx: Tx, id: string, routerId: string, now: Date): Promise<void> {
    await tx.exec('update floatingip set router_id = $2, revision = revision + 1, updated_at = $3 where id = $1', [
      id,
      routerId,
      now,
    ]);
  }

  async describe(tx: Tx, id: string, description: string, now: Date): Promise<void> {
    await tx.exec('update floatingip set description = $2, revision = revision + 1, updated_at = $3 where id = $1', [
      id,
      description,
      now,
    ]);
  }

  async delete(tx: Tx, id: string): Promise<void> {
    await tx.exec('delete from floatingip where id = $1', [id]);
  }

  /** Those of a network that stand for nothing go with it; gives what they were. */
  async deleteFreeOn(
    tx: Tx,
    networkId: string,
  ): Promise<{ readonly id: string; readonly projectId: string; readonly ownPortId: string }[]> {
    return tx.query(
      `delete from floatingip where network_id = $1 and router_id is null
       returning id, project_id as "projectId", own_port_id as "ownPortId"`,
      [networkId],
    );
  }

  /** Ends what stood for ports that are going, or for addresses that they have no more. */
  async releasePorts(tx: Tx, portIds: readonly string[], now: Date, all = true): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      {
        name: 'floatingip-release-ports',
        text: `update floatingip f set router_id = null, port_id = null, fixed_address = null, revision = revision + 1, updated_at = $2
          where f.port_id = any($1::uuid[]) and ($3 or not exists (
            select 1 from ip_allocation a where a.port_id = f.port_id and a.address = f.fixed_address))
          returning f.id`,
      },
      [portIds, now, all],
    );
    return rows.map((row) => row.id);
  }

  /**
   * A router with a leg in the subnet that leads to the external network: rather the one that the subnet's hosts are
   * told of. It stays as it is until the transaction ends.
   */
  async routerBetween(tx: Tx, subnetId: string, networkId: string): Promise<string | undefined> {
    const found = `select r.id from router_leg l join router r on r.id = l.router_id join subnet s on s.id = l.subnet_id
      left join ip_allocation a on a.port_id = l.port_id and a.subnet_id = l.subnet_id
      where l.subnet_id = $1 and not l.is_gateway and r.gateway_network_id = $2
      order by (a.address = s.gateway) desc nulls last, r.id`;
    for (const { id } of await tx.query<{ id: string }>(found, [subnetId, networkId])) {
      await tx.one('select 1 from router where id = $1 for share', [id]);
      const still = (await tx.query<{ id: string }>(found, [subnetId, networkId])).some((router) => router.id === id);
      if (still) return id;
    }
    return undefined;
  }

  /** Takes in what OVN has. */
  async setRealized(on: Sql, states: readonly Realized[]): Promise<void> {
    if (states.length === 0) return;
    await on.exec(
      `update floatingip f set realized = s.state from unnest($1::uuid[], $2::text[]) s(id, state)
       where f.id = s.id and f.realized <> s.state`,
      [states.map((state) => state.id), states.map((state) => state.state)],
    );
  }
}

export const isAssociatedTwice = (error: unknown): boolean => isViolation(error, 'unique', 'floatingip_once');
