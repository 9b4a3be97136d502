/** Routers and the subnets that they have legs in. That no two of these overlap is the database's to keep. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { FixedIp, Route, Router, RouterLeg } from '#services/network/domain';
import {
  byBoolean,
  byInteger,
  byTags,
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
  readonly distributed: boolean;
  readonly ha: boolean;
  readonly zone_hints: readonly string[];
  readonly flavor_id: string | null;
  readonly routes: readonly Route[];
  readonly tunnel_key: number;
  readonly gateway_port_id: string | null;
  readonly gateway_network_id: string | null;
  readonly snat: boolean;
  readonly qos_policy_id: string | null;
  readonly gateway_host: string;
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly gateway_ips: readonly (readonly [subnetId: string, address: string])[];
}

const SELECT = `r.*,
  coalesce((select json_agg(json_build_array(a.subnet_id, host(a.address)) order by a.ordinal, a.address)
    from ip_allocation a where a.port_id = r.gateway_port_id), '[]') as gateway_ips`;

function toRouter(row: Row): Router {
  const { gateway_port_id: portId, gateway_network_id: networkId, snat, qos_policy_id: qosPolicyId } = row;
  const fixedIps = row.gateway_ips.map(([subnetId, address]): FixedIp => ({ subnetId, address }));
  return {
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    description: row.description,
    adminStateUp: row.admin_state_up,
    distributed: row.distributed,
    ha: row.ha,
    zoneHints: row.zone_hints,
    flavorId: row.flavor_id,
    routes: row.routes,
    tunnelKey: row.tunnel_key,
    gateway: portId === null || networkId === null ? null : { portId, networkId, snat, qosPolicyId, fixedIps },
    gatewayHost: row.gateway_host,
    tags: row.tags,
    revision: row.revision,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

const LIST: ListSpec = {
  select: SELECT,
  from: 'router r',
  id: 'r.id',
  filters: {
    id: byUuid('r.id'),
    name: byText('r.name'),
    project_id: byText('r.project_id'),
    tenant_id: byText('r.project_id'),
    description: byText('r.description'),
    admin_state_up: byBoolean('r.admin_state_up'),
    status: constant('ACTIVE'),
    distributed: byBoolean('r.distributed'),
    ha: byBoolean('r.ha'),
    flavor_id: byUuid('r.flavor_id'),
    revision_number: byInteger('r.revision'),
    changed_since: since('r.updated_at'),
    ...byTags('r.tags'),
  },
  sortable: {
    id: 'r.id',
    name: 'r.name',
    project_id: 'r.project_id',
    tenant_id: 'r.project_id',
    admin_state_up: 'r.admin_state_up',
    distributed: 'r.distributed',
    created_at: 'r.created_at',
    updated_at: 'r.updated_at',
  },
};
export const ROUTER_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type NewRouter = Pick<
  Router,
  'id' | 'projectId' | 'name' | 'description' | 'adminStateUp' | 'distributed' | 'ha' | 'zoneHints' | 'flavorId'
>;
type Changeable = Pick<Router, 'name' | 'description' | 'adminStateUp' | 'distributed' | 'ha' | 'routes'>;
export type RouterChange = { readonly [K in keyof Changeable]?: Changeable[K] | undefined };

export interface NewLeg {
  readonly portId: string;
  readonly subnetId: string;
  readonly cidr: string;
  readonly isGateway: boolean;
}
/** Of a leg: whether it is in the external network. */
export type Leg = RouterLeg & { readonly isGateway: boolean; readonly networkId: string };

export class RouterRepo {
  async find(on: Sql, id: string): Promise<Router | undefined> {
    return (await this.findMany(on, [id]))[0];
  }

  async findMany(on: Sql, ids: readonly string[]): Promise<Router[]> {
    if (ids.length === 0) return [];
    const rows = await on.query<Row>(
      { name: 'router-find-many', text: `select ${SELECT} from router r where r.id = any($1::uuid[])` },
      [ids],
    );
    return rows.map(toRouter);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<Router>> {
    const { text, params } = listSql(LIST, request, (bind) =>
      scope === 'all' ? 'true' : `r.project_id = ${bind(scope.projectId)}`,
    );
    return pageOf((await on.query<Row>(text, params)).map(toRouter), request);
  }

  /** Those whose gateway is on the node now. */
  async ofGatewayHost(on: Sql, host: string): Promise<Router[]> {
    const rows = await on.query<Row>(
      `select ${SELECT} from router r where r.gateway_host = $1 and r.gateway_port_id is not null order by r.id`,
      [host],
    );
    return rows.map(toRouter);
  }

  async insert(tx: Tx, router: NewRouter, now: Date): Promise<void> {
    await tx.exec(
      `insert into router (id, project_id, name, description, admin_state_up, distributed, ha, zone_hints, flavor_id, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $10, $9, $9)`,
      [
        router.id,
        router.projectId,
        router.name,
        router.description,
        router.adminStateUp,
        router.distributed,
        router.ha,
        router.zoneHints,
        now,
        router.flavorId,
      ],
    );
  }

  /** Everything that changes a router's legs or gateway goes through its lock. */
  async lock(tx: Tx, id: string): Promise<Router | undefined> {
    const row = await tx.one('select 1 from router where id = $1 for update', [id]);
    return row === undefined ? undefined : this.find(tx, id);
  }

  async update(tx: Tx, id: string, change: RouterChange, now: Date): Promise<void> {
    await tx.exec(
      `update router set name = coalesce($2, name), description = coalesce($3, description),
         admin_state_up = coalesce($4, admin_state_up), distributed = coalesce($5, distributed), ha = coalesce($6, ha),
         routes = coalesce($7, routes), revision = revision + 1, updated_at = $8
       where id = $1`,
      [
        id,
        change.name,
        change.description,
        change.adminStateUp,
        change.distributed,
        change.ha,
        change.routes && JSON.stringify(change.routes),
        now,
      ],
    );
  }

  /** Makes the port its way out, or none. A QoS policy stays with the gateway that had it. */
  async setGateway(
    tx: Tx,
    id: string,
    gateway: { readonly portId: string; readonly networkId: string } | null,
    snat: boolean,
  ): Promise<void> {
    await tx.exec(
      `update router set gateway_port_id = $2, gateway_network_id = $3, snat = $4,
         qos_policy_id = case when gateway_port_id = $2 then qos_policy_id end,
         gateway_host = case when gateway_port_id = $2 then gateway_host else '' end
       where id = $1`,
      [id, gateway?.portId ?? null, gateway?.networkId ?? null, snat],
    );
  }

  /** Its revision rises, for what clients see of it has changed. */
  async touch(tx: Tx, id: string, now: Date): Promise<void> {
    await tx.exec('update router set revision = revision + 1, updated_at = $2 where id = $1', [id, now]);
  }

  async delete(tx: Tx, id: string): Promise<void> {
    await tx.exec('delete from router where id = $1', [id]);
  }

  async legs(on: Sql, routerId: string): Promise<Leg[]> {
    return on.query<Leg>(
      `select l.port_id as "portId", l.subnet_id as "subnetId", l.cidr::text as cidr, l.is_gateway as "isGateway",
         s.network_id as "networkId", coalesce(host(a.address), '') as address
       from router_leg l join subnet s on s.id = l.subnet_id
       left join ip_allocation a on a.port_id = l.port_id and a.subnet_id = l.subnet_id
       where l.router_id = $1 order by l.cidr`,
      [routerId],
    );
  }

  /** Throws a violation of `router_leg_overlap` where the router is in an overlapping subnet already. */
  async addLegs(tx: Tx, routerId: string, legs: readonly NewLeg[]): Promise<void> {
    await tx.exec(
      `insert into router_leg (router_id, port_id, subnet_id, cidr, is_gateway)
       select $1, l.* from unnest($2::uuid[], $3::uuid[], $4::cidr[], $5::boolean[]) l`,
      [
        routerId,
        legs.map((leg) => leg.portId),
        legs.map((leg) => leg.subnetId),
        legs.map((leg) => leg.cidr),
        legs.map((leg) => leg.isGateway),
      ],
    );
  }

  async dropLegs(tx: Tx, portId: string, subnetIds?: readonly string[]): Promise<void> {
    await tx.exec('delete from router_leg where port_id = $1 and ($2::uuid[] is null or subnet_id = any($2::uuid[]))', [
      portId,
      subnetIds ?? null,
    ]);
  }

  /** Takes in where gateways are. */
  async setGatewayHosts(
    on: Sql,
    hosts: readonly { readonly routerId: string; readonly host: string }[],
  ): Promise<void> {
    if (hosts.length === 0) return;
    await on.exec(
      `update router r set gateway_host = h.host from unnest($1::uuid[], $2::text[]) h(id, host)
       where r.id = h.id and r.gateway_host <> h.host and r.gateway_port_id is not null`,
      [hosts.map((host) => host.routerId), hosts.map((host) => host.host)],
    );
  }
}

/** Two requests at once asked for legs that overlap. */
export const isLegOverlap = (error: unknown): boolean => isViolation(error, 'exclusion', 'router_leg_overlap');
/** Selects the routers that have a leg in subnets of a network, for marks; `$3` is the network. */
export const ROUTERS_ON_NETWORK =
  'select distinct l.router_id as id from router_leg l join subnet s on s.id = l.subnet_id where s.network_id = $3';
/** What is translated between networks follows from their address scopes, which are those of their pools. */
export const ROUTERS_IN_POOL =
  'select distinct l.router_id as id from router_leg l join subnet s on s.id = l.subnet_id where s.pool_id = $3';
export const ROUTERS_IN_SUBNET = 'select distinct router_id as id from router_leg where subnet_id = $3';
