/** The books of the network service and what is in OVN, as rows that the auditor lays side by side. */
import type { operatorV1 } from '#libs/contract';
import type { NetworkBooks } from '#services/network/data';
import { FLOATING_OWNER, KIND, METADATA_OWNER, OWNER, ROUTER } from '#services/network/domain';
import type { NbClient } from './ovn/northbound.js';

type Row = operatorV1.BookRow;
const row = (kind: string, id: string, more: Partial<Row> = {}): Row => ({
  kind,
  id,
  serverId: '',
  node: '',
  state: '',
  facts: {},
  ...more,
});

/** What is on its way into OVN is marked as such: it is no mismatch. */
type Facts = (...ids: readonly string[]) => Record<string, string>;

export async function bookRows(books: NetworkBooks, client: NbClient): Promise<Row[]> {
  const dirty = new Set((await books.dirty.pending(books.db)).map((mark) => mark.id));
  const facts = (...ids: readonly string[]): Record<string, string> =>
    ids.some((id) => dirty.has(id)) ? { dirty: 'true' } : {};
  const usage = await books.quotas.audit(books.db);
  return [
    ...(await ownRows(books, facts)),
    ...ovnRows(client, facts),
    ...foreignRows(client),
    ...usage.map((used) =>
      row('usage', `${used.projectId}/${used.resource}`, {
        facts: { recorded: String(used.recorded), counted: String(used.counted) },
      }),
    ),
  ];
}

interface PortRow {
  readonly id: string;
  readonly device_id: string;
  readonly device_owner: string;
  readonly host: string;
  readonly status: string;
}

/** All that must be in OVN. Ports that only hold an address, and those for metadata, are none of it. */
async function ownRows({ db }: NetworkBooks, facts: Facts): Promise<Row[]> {
  const ports = await db.query<PortRow>(
    'select id, device_id, device_owner, host, status from port where device_owner not in ($1, $2)',
    [METADATA_OWNER, FLOATING_OWNER],
  );
  const floating = await db.query<{ id: string; router_id: string }>(
    'select id, router_id from floatingip where port_id is not null',
  );
  const named = async (kind: 'security_group' | 'address_group' | 'router' | 'port_forwarding'): Promise<Row[]> => {
    const found = await db.query<{ id: string }>(`select id from ${kind}`);
    return found.map(({ id }) => row(kind, id, { facts: facts(id) }));
  };
  return [
    ...ports.map((port) =>
      row('port', port.id, {
        serverId: port.device_owner.startsWith('compute:') ? port.device_id : '',
        node: port.host,
        state: port.status,
        facts: facts(port.id),
      }),
    ),
    ...(await named('security_group')),
    ...(await named('address_group')),
    ...(await named('router')),
    ...(await named('port_forwarding')),
    ...floating.map(({ id, router_id }) => row('floatingip', id, { facts: facts(id, router_id) })),
  ];
}

interface NbRow {
  readonly _uuid: string;
  readonly external_ids: ReadonlyMap<string, string>;
}

/** Where resources are found in OVN: the kind in the books' language, the table, our mark, and the resource's id. */
const MIRRORS = [
  { mirror: 'ovn_port_group', table: 'Port_Group', mark: 'security_group', idOf: (nb: NbRow) => nb._uuid },
  { mirror: 'ovn_address_set', table: 'Address_Set', mark: 'address_group', idOf: (nb: NbRow) => external(nb, OWNER) },
  { mirror: 'ovn_router', table: 'Logical_Router', mark: 'router', idOf: (nb: NbRow) => nb._uuid },
  { mirror: 'ovn_floatingip', table: 'NAT', mark: 'floatingip', idOf: (nb: NbRow) => nb._uuid },
  { mirror: 'ovn_port_forwarding', table: 'Load_Balancer', mark: 'port_forwarding', idOf: (nb: NbRow) => nb._uuid },
] as const;

const external = (nb: NbRow, key: string): string => nb.external_ids.get(key) ?? '';

/** What is in OVN and bears our mark. */
function ovnRows(client: NbClient, facts: Facts): Row[] {
  const ports = [...client.replica.table('Logical_Switch_Port').values()].filter((nb) => external(nb, KIND) === 'port');
  const others = MIRRORS.flatMap(({ mirror, table, mark, idOf }) => {
    const rows: Iterable<NbRow> = client.replica.table(table).values();
    return [...rows]
      .filter((nb) => external(nb, KIND) === mark)
      .map((nb) => row(mirror, idOf(nb), { facts: facts(idOf(nb), external(nb, ROUTER)) }));
  });
  return [
    ...ports.map((nb) => row('ovn_port', nb.name, { state: nb.up === true ? 'up' : 'down', facts: facts(nb.name) })),
    ...others,
  ];
}

/** Tables in which a row of somebody else touches what tenants have. */
const SHARED_TABLES = [
  'Logical_Switch',
  'Logical_Switch_Port',
  'Logical_Router',
  'Logical_Router_Port',
  'Logical_Router_Static_Route',
  'Load_Balancer',
  'Port_Group',
  'ACL',
  'NAT',
  'QoS',
] as const;

/** What is in OVN and is not ours: it is told, and left alone. */
function foreignRows(client: NbClient): Row[] {
  return SHARED_TABLES.flatMap((table) => {
    const rows: Iterable<NbRow> = client.replica.table(table).values();
    return [...rows]
      .filter((nb) => !nb.external_ids.has(KIND))
      .map((nb) => row('ovn_foreign', nb._uuid, { facts: { table } }));
  });
}
