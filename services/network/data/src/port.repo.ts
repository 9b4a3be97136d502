/** Ports with their addresses and groups. One MAC per network, one holder per address: the database keeps both. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import {
  GATEWAY_OWNER,
  groupNotFound,
  INTERFACE_OWNER,
  METADATA_OWNER,
  macInUse,
  type Port,
  type PortExtras,
} from '#services/network/domain';
import { type ListRequest, listSql, type Page, pageOf, type Scope } from './listing.js';
import { PORT_LIST, PORT_SELECT, type PortOnNetwork, type PortRow, toPort } from './port.listing.js';

export type NewPort = Omit<
  Port,
  'status' | 'fixedIps' | 'groupIds' | 'qosPolicyId' | 'trunk' | 'tags' | 'revision' | 'createdAt' | 'updatedAt'
>;
export type PortChange = Partial<
  Pick<
    Port,
    | 'name'
    | 'description'
    | 'mac'
    | 'adminStateUp'
    | 'deviceId'
    | 'deviceOwner'
    | 'host'
    | 'vnicType'
    | 'profile'
    | 'portSecurity'
    | 'addressPairs'
    | 'hostname'
    | 'ownedByServer'
    | keyof PortExtras
  >
>;

export class PortRepo {
  async find(on: Sql, id: string): Promise<PortOnNetwork | undefined> {
    const row = await on.one<PortRow>(
      { name: 'port-find', text: `select ${PORT_SELECT} from port p where p.id = $1` },
      [id],
    );
    return row && toPort(row);
  }

  async findMany(on: Sql, ids: readonly string[]): Promise<PortOnNetwork[]> {
    if (ids.length === 0) return [];
    const rows = await on.query<PortRow>(
      { name: 'port-find-many', text: `select ${PORT_SELECT} from port p where p.id = any($1::uuid[])` },
      [ids],
    );
    return rows.map(toPort);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<PortOnNetwork>> {
    const { text, params } = listSql(PORT_LIST, request, (bind) => {
      if (scope === 'all') return 'true';
      const own = bind(scope.projectId);
      return `(p.project_id = ${own} or p.network_id = any(array(select n.id from network n where n.project_id = ${own})))`;
    });
    return pageOf((await on.query<PortRow>(text, params)).map(toPort), request);
  }

  /** The ports of servers, in the order in which they were made. */
  async ofDevices(on: Sql, deviceIds: readonly string[]): Promise<PortOnNetwork[]> {
    const rows = await on.query<PortRow>(
      {
        name: 'port-of-devices',
        text: `select ${PORT_SELECT} from port p where p.device_id = any($1::text[]) and p.device_id <> '' order by p.created_at, p.id`,
      },
      [deviceIds],
    );
    return rows.map(toPort);
  }

  /** The metadata ports of networks. */
  async metadataOf(on: Sql, networkIds: readonly string[]): Promise<PortOnNetwork[]> {
    if (networkIds.length === 0) return [];
    const rows = await on.query<PortRow>(
      {
        name: 'port-metadata-of',
        text: `select ${PORT_SELECT} from port p where p.network_id = any($1::uuid[]) and p.device_owner = '${METADATA_OWNER}'`,
      },
      [networkIds],
    );
    return rows.map(toPort);
  }

  /** Inserts the port in its groups. False where the MAC is in use on the network. */
  async insert(tx: Tx, port: NewPort, groupIds: readonly string[], now: Date): Promise<boolean> {
    const row = await tx.one<{ done: boolean }>(
      {
        name: 'port-insert',
        text: `with made as (insert into port (id, network_id, project_id, name, description, mac, admin_state_up, device_id,
            device_owner, status, host, vnic_type, profile, port_security, address_pairs, hostname, owned_by_server,
            dns_name, dns_domain, dhcp_options, uplink_status, created_at, updated_at)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'DOWN', $10, $11, $12, $13, $14, $15, $16, $19, $20, $21, $22, $17, $17)
          on conflict on constraint port_mac do nothing returning id),
          grouped as (insert into port_security_group (port_id, group_id) select made.id, g from made, unnest($18::uuid[]) g)
          select exists (select 1 from made) as done`,
      },
      [
        port.id,
        port.networkId,
        port.projectId,
        port.name,
        port.description,
        port.mac,
        port.adminStateUp,
        port.deviceId,
        port.deviceOwner,
        port.host,
        port.vnicType,
        JSON.stringify(port.profile),
        port.portSecurity,
        JSON.stringify(port.addressPairs),
        port.hostname,
        port.ownedByServer,
        now,
        groupIds,
        port.dnsName,
        port.dnsDomain,
        JSON.stringify(port.dhcpOptions),
        port.uplinkStatus,
      ],
    );
    return row?.done === true;
  }

  /** True where the port was there. Its revision rises. */
  async update(tx: Tx, id: string, change: PortChange, now: Date): Promise<boolean> {
    const done = await tx.exec(
      {
        name: 'port-update',
        text: `update port set name = coalesce($2, name), description = coalesce($3, description), mac = coalesce($4, mac),
            admin_state_up = coalesce($5, admin_state_up), device_id = coalesce($6, device_id),
            device_owner = coalesce($7, device_owner), host = coalesce($8, host), vnic_type = coalesce($9, vnic_type),
            profile = coalesce($10, profile), port_security = coalesce($11, port_security),
            address_pairs = coalesce($12, address_pairs), hostname = coalesce($13, hostname),
            owned_by_server = coalesce($14, owned_by_server),
            dns_name = coalesce($16, dns_name), dns_domain = coalesce($17, dns_domain),
            dhcp_options = coalesce($18, dhcp_options), uplink_status = coalesce($19, uplink_status),
            data_plane_status = case when $20 then $21 else data_plane_status end,
            status = case when coalesce($8, host) = '' and device_owner not in ('${INTERFACE_OWNER}', '${GATEWAY_OWNER}')
              then 'DOWN' else status end,
            revision = revision + 1, updated_at = $15
          where id = $1`,
      },
      [
        id,
        change.name,
        change.description,
        change.mac,
        change.adminStateUp,
        change.deviceId,
        change.deviceOwner,
        change.host,
        change.vnicType,
        change.profile && JSON.stringify(change.profile),
        change.portSecurity,
        change.addressPairs && JSON.stringify(change.addressPairs),
        change.hostname,
        change.ownedByServer,
        now,
        change.dnsName,
        change.dnsDomain,
        change.dhcpOptions && JSON.stringify(change.dhcpOptions),
        change.uplinkStatus,
        change.dataPlaneStatus !== undefined,
        change.dataPlaneStatus,
      ],
    );
    return done === 1;
  }

  /** Locks the port until the transaction ends and gives it as it is then. */
  async lock(tx: Tx, id: string): Promise<PortOnNetwork | undefined> {
    const row = await tx.one(`select 1 from port where id = $1 for update`, [id]);
    return row === undefined ? undefined : this.find(tx, id);
  }

  /** Makes these the port's groups, and no others. */
  async setGroups(tx: Tx, portId: string, groupIds: readonly string[]): Promise<void> {
    await tx.exec('delete from port_security_group where port_id = $1 and group_id <> all($2::uuid[])', [
      portId,
      groupIds,
    ]);
    if (groupIds.length === 0) return;
    await tx.exec(
      `insert into port_security_group (port_id, group_id) select $1, g from unnest($2::uuid[]) g on conflict do nothing`,
      [portId, groupIds],
    );
  }

  /** Deletes ports with all they hold; gives those that were there. */
  async delete(tx: Tx, ids: readonly string[]): Promise<{ readonly id: string; readonly projectId: string }[]> {
    return tx.query(
      {
        name: 'port-delete',
        text: `delete from port where id = any($1::uuid[]) returning id, project_id as "projectId"`,
      },
      [ids],
    );
  }

  /** Takes in which ports are up; gives those whose status changed. A port that is bound nowhere is down. */
  async setStatuses(
    on: Sql,
    states: readonly { readonly id: string; readonly up: boolean }[],
    now: Date,
  ): Promise<string[]> {
    if (states.length === 0) return [];
    const rows = await on.query<{ id: string }>(
      `update port p set status = s.status, revision = revision + 1, updated_at = $3
       from (select o.id, case when t.u and (o.host <> '' or o.device_owner in ('${INTERFACE_OWNER}', '${GATEWAY_OWNER}')) then 'ACTIVE' else 'DOWN' end as status
             from unnest($1::uuid[], $2::boolean[]) t(i, u) join port o on o.id = t.i) s
       where p.id = s.id and p.status <> s.status and p.device_owner <> '${METADATA_OWNER}' returning p.id`,
      [states.map((state) => state.id), states.map((state) => state.up), now],
    );
    return rows.map((row) => row.id);
  }
}

/** The failure for what the database refused while a port was written. To be used outside the transaction. */
export function portWriteFailure(
  error: unknown,
  port: { readonly networkId: string; readonly mac: string; readonly groupIds: readonly string[] },
): unknown {
  if (isViolation(error, 'unique', 'port_mac')) return macInUse(port.networkId, port.mac);
  if (isViolation(error, 'foreignKey', 'port_security_group_in_use')) return groupNotFound(port.groupIds.join(', '));
  return error;
}
