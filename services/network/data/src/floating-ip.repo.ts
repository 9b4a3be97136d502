/** Floating IPs. That two of one network never stand for the same address is the database's to keep. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { FloatingIp, FloatingTarget } from '#services/network/domain';
import { FLOATING_IP_LIST, FLOATING_IP_SELECT, type FloatingIpRow, toFloatingIp } from './floating-ip.listing.js';
import { type ListRequest, listSql, type Page, pageOf, type Scope } from './listing.js';

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
    const rows = await on.query<FloatingIpRow>(
      {
        name: 'floatingip-find-many',
        text: `select ${FLOATING_IP_SELECT} from floatingip f where f.id = any($1::uuid[])`,
      },
      [ids],
    );
    return rows.map(toFloatingIp);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<FloatingIp>> {
    const { text, params } = listSql(FLOATING_IP_LIST, request, (bind) =>
      scope === 'all' ? 'true' : `f.project_id = ${bind(scope.projectId)}`,
    );
    return pageOf((await on.query<FloatingIpRow>(text, params)).map(toFloatingIp), request);
  }

  async ofRouters(on: Sql, routerIds: readonly string[]): Promise<FloatingIp[]> {
    if (routerIds.length === 0) return [];
    const rows = await on.query<FloatingIpRow>(
      {
        name: 'floatingip-of-routers',
        text: `select ${FLOATING_IP_SELECT} from floatingip f where f.router_id = any($1::uuid[])`,
      },
      [routerIds],
    );
    return rows.map(toFloatingIp);
  }

  async ofPorts(on: Sql, portIds: readonly string[]): Promise<FloatingIp[]> {
    if (portIds.length === 0) return [];
    const rows = await on.query<FloatingIpRow>(
      {
        name: 'floatingip-of-ports',
        text: `select ${FLOATING_IP_SELECT} from floatingip f where f.port_id = any($1::uuid[]) order by f.created_at, f.id`,
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
