/** Port forwardings. That no port is forwarded twice is the database's to keep. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { ForwardedProtocol, Forwarding, PortForwarding } from '#services/network/domain';
import { byInteger, byText, byUuid, type ListRequest, type ListSpec, listSql, type Page, pageOf } from './listing.js';

interface Row {
  readonly id: string;
  readonly floatingip_id: string;
  readonly port_id: string;
  readonly protocol: ForwardedProtocol;
  readonly internal: string;
  readonly internal_first: number;
  readonly internal_last: number;
  readonly external_first: number;
  readonly external_last: number;
  readonly description: string;
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const SELECT = `w.id, w.floatingip_id, w.port_id, w.protocol, host(w.internal_address) as internal,
  lower(w.internal_ports) as internal_first, upper(w.internal_ports) - 1 as internal_last,
  lower(w.external_ports) as external_first, upper(w.external_ports) - 1 as external_last,
  w.description, w.revision, w.created_at, w.updated_at`;

const toForwarding = (row: Row): PortForwarding => ({
  id: row.id,
  floatingIpId: row.floatingip_id,
  portId: row.port_id,
  protocol: row.protocol,
  internalAddress: row.internal,
  internal: { first: row.internal_first, last: row.internal_last },
  external: { first: row.external_first, last: row.external_last },
  description: row.description,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: SELECT,
  from: 'port_forwarding w',
  id: 'w.id',
  filters: {
    id: byUuid('w.id'),
    internal_port_id: byUuid('w.port_id'),
    protocol: (values, bind) =>
      byText('w.protocol')(
        values.map((value) => value.toLowerCase()),
        bind,
      ),
    external_port: byInteger('lower(w.external_ports)'),
    description: byText('w.description'),
  },
  sortable: {
    id: 'w.id',
    internal_port_id: 'w.port_id',
    external_port: 'lower(w.external_ports)',
    protocol: 'w.protocol',
    created_at: 'w.created_at',
  },
};
export const FORWARDING_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

const valuesOf = (forwarding: Forwarding): unknown[] => [
  forwarding.portId,
  forwarding.protocol,
  forwarding.internalAddress,
  forwarding.internal.first,
  forwarding.internal.last,
  forwarding.external.first,
  forwarding.external.last,
  forwarding.description,
];

export class PortForwardingRepo {
  async find(on: Sql, floatingIpId: string, id: string): Promise<PortForwarding | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from port_forwarding w where w.floatingip_id = $1 and w.id = $2`, [
      floatingIpId,
      id,
    ]);
    return row && toForwarding(row);
  }

  async findMany(on: Sql, ids: readonly string[]): Promise<PortForwarding[]> {
    if (ids.length === 0) return [];
    const rows = await on.query<Row>(`select ${SELECT} from port_forwarding w where w.id = any($1::uuid[])`, [ids]);
    return rows.map(toForwarding);
  }

  async ofFloatingIps(on: Sql, floatingIpIds: readonly string[]): Promise<PortForwarding[]> {
    if (floatingIpIds.length === 0) return [];
    const rows = await on.query<Row>(
      {
        name: 'forwarding-of-floatingips',
        text: `select ${SELECT} from port_forwarding w where w.floatingip_id = any($1::uuid[]) order by w.created_at, w.id`,
      },
      [floatingIpIds],
    );
    return rows.map(toForwarding);
  }

  async list(on: Sql, floatingIpId: string, request: ListRequest): Promise<Page<PortForwarding>> {
    const { text, params } = listSql(LIST, request, (bind) => `w.floatingip_id = ${bind(floatingIpId)}`);
    return pageOf((await on.query<Row>(text, params)).map(toForwarding), request);
  }

  /** Throws a violation of `port_forwarding_external` or `port_forwarding_internal` where a port is forwarded already. */
  async insert(tx: Tx, forwarding: Forwarding & { id: string; floatingIpId: string }, now: Date): Promise<void> {
    await tx.exec(
      `insert into port_forwarding (id, floatingip_id, port_id, protocol, internal_address, internal_ports, external_ports,
         description, created_at, updated_at)
       values ($1, $2, $3, $4, $5, int4range($6, $7, '[]'), int4range($8, $9, '[]'), $10, $11, $11)`,
      [forwarding.id, forwarding.floatingIpId, ...valuesOf(forwarding), now],
    );
  }

  async update(tx: Tx, id: string, forwarding: Forwarding, now: Date): Promise<void> {
    await tx.exec(
      `update port_forwarding set port_id = $2, protocol = $3, internal_address = $4,
         internal_ports = int4range($5, $6, '[]'), external_ports = int4range($7, $8, '[]'), description = $9,
         revision = revision + 1, updated_at = $10
       where id = $1`,
      [id, ...valuesOf(forwarding), now],
    );
  }

  /** Deletes these; a floating IP that forwards nothing any more needs no router. */
  async delete(tx: Tx, ids: readonly string[], now: Date): Promise<void> {
    const gone = await tx.query<{ floatingip_id: string }>(
      'delete from port_forwarding where id = any($1::uuid[]) returning floatingip_id',
      [ids],
    );
    await tx.exec(
      `update floatingip f set router_id = null, revision = revision + 1, updated_at = $2
       where f.id = any($1::uuid[]) and f.port_id is null
         and not exists (select 1 from port_forwarding w where w.floatingip_id = f.id)`,
      [gone.map((row) => row.floatingip_id), now],
    );
  }

  /** Those of ports: all of them, or only those to addresses that the ports have no more. */
  async ofPorts(on: Sql, portIds: readonly string[], lost: boolean): Promise<string[]> {
    const rows = await on.query<{ id: string }>(
      {
        name: 'forwarding-of-ports',
        text: `select w.id from port_forwarding w where w.port_id = any($1::uuid[]) and not ($2 and exists (
          select 1 from ip_allocation a where a.port_id = w.port_id and a.address = w.internal_address))`,
      },
      [portIds, lost],
    );
    return rows.map((row) => row.id);
  }
}

export const isForwardedTwice = (error: unknown): boolean =>
  isViolation(error, 'exclusion', 'port_forwarding_external') ||
  isViolation(error, 'exclusion', 'port_forwarding_internal');
