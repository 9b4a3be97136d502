/**
 * What every change leaves behind in its own transaction: marks for what OVN has yet to learn, and an event for the
 * operator. The wake-up after the commit carries nothing; the marks are the truth.
 */
import { currentContext } from '#libs/kernel';
import type { Sql, Tx } from '#libs/platform/db';

export const OVN_CHANNEL = 'network_ovn';

export type MarkKind =
  | 'address_group'
  | 'floatingip'
  | 'network'
  | 'port'
  | 'port_forwarding'
  | 'router'
  | 'security_group'
  | 'subnet';

export interface Mark {
  readonly kind: MarkKind;
  readonly id: string;
  /** Tells this mark from a later one on the same resource. */
  readonly mark: number;
  readonly tries: number;
}

export interface NetworkEvent {
  readonly resourceId: string;
  /** Such as `port created`. */
  readonly what: string;
  readonly outcome?: string;
  readonly detail?: string;
  readonly related?: readonly string[];
}

export interface StoredEvent extends Required<NetworkEvent> {
  readonly at: Date;
  readonly requestId: string;
}

const MARK = `insert into ovn_dirty (kind, id, since, not_before)
  select $1, i, $3, $3 from unnest($2::uuid[]) i order by i
  on conflict (kind, id) do update set mark = nextval('ovn_mark'), tries = 0, not_before = excluded.not_before, error = ''`;
const TELL = `insert into event (at, request_id, resource_id, what, outcome, detail, related)
  select $3, $4, e.resource_id, e.what, e.outcome, e.detail, e.related
  from jsonb_to_recordset($5::jsonb) as e(resource_id text, what text, outcome text, detail text, related text[])`;

const eventRows = (events: readonly NetworkEvent[]): string =>
  JSON.stringify(
    events.map((event) => ({
      resource_id: event.resourceId,
      what: event.what,
      outcome: event.outcome ?? 'ok',
      detail: event.detail ?? '',
      related: event.related ?? [],
    })),
  );

/** Marks resources as not yet applied, and wakes the reconciler when the transaction commits. */
export async function markDirty(tx: Tx, kind: MarkKind, ids: readonly string[], now: Date): Promise<void> {
  if (ids.length === 0) return;
  await tx.exec({ name: 'mark-dirty', text: MARK }, [kind, ids, now]);
  tx.notify(OVN_CHANNEL);
}

/** Marks in one statement what a query of ours selects; its own parameters are `$3` and on. */
export async function markSelected(
  tx: Tx,
  kind: MarkKind,
  select: string,
  params: readonly unknown[],
  now: Date,
): Promise<void> {
  const marked = await tx.exec(
    `insert into ovn_dirty (kind, id, since, not_before) select $1, s.id, $2, $2 from (${select}) s order by s.id
     on conflict (kind, id) do update set mark = nextval('ovn_mark'), tries = 0, not_before = excluded.not_before, error = ''`,
    [kind, now, ...params],
  );
  if (marked > 0) tx.notify(OVN_CHANNEL);
}

/** Marks every port of a network. */
export async function markPortsOf(tx: Tx, networkId: string, now: Date): Promise<void> {
  const ports = await tx.query<{ id: string }>('select id from port where network_id = $1', [networkId]);
  await markDirty(
    tx,
    'port',
    ports.map((port) => port.id),
    now,
  );
}

/** Marks the ports of a network whose DHCP answers are their own, and so repeat what the subnet's say. */
export function markPortsWithOptions(tx: Tx, networkId: string, now: Date): Promise<void> {
  const select = `select p.id from port p where p.network_id = $3 and p.dhcp_options <> '[]'`;
  return markSelected(tx, 'port', select, [networkId], now);
}

/** Records events under the request in whose context this runs. */
export async function record(on: Sql, events: readonly NetworkEvent[], now: Date): Promise<void> {
  if (events.length === 0) return;
  const text = TELL.replace('$3', '$1').replace('$4', '$2').replace('$5', '$3');
  await on.exec({ name: 'event-record', text }, [now, currentContext()?.requestId ?? '', eventRows(events)]);
}

/** Marks and records in one statement, for what happens often. */
export async function markAndRecord(
  tx: Tx,
  kind: MarkKind,
  ids: readonly string[],
  events: readonly NetworkEvent[],
  now: Date,
): Promise<void> {
  if (ids.length === 0 && events.length === 0) return;
  await tx.exec(
    {
      name: 'mark-and-record',
      text: `with marked as (${MARK}), told as (${TELL}) select 1`,
    },
    [kind, ids, now, currentContext()?.requestId ?? '', eventRows(events)],
  );
  tx.notify(OVN_CHANNEL);
}

interface EventRow {
  readonly at: Date;
  readonly request_id: string;
  readonly resource_id: string;
  readonly what: string;
  readonly outcome: string;
  readonly detail: string;
  readonly related: readonly string[];
}

/** Events of a resource or a request, oldest first, at most 500. */
export async function eventsOf(on: Sql, id: string): Promise<StoredEvent[]> {
  const rows = await on.query<EventRow>(
    `select * from (
       (select * from event where resource_id = $1 order by id desc limit 500)
       union
       (select * from event where request_id = $1 order by id desc limit 500)
     ) e order by e.id limit 500`,
    [id],
  );
  return rows.map((row) => ({
    at: row.at,
    requestId: row.request_id,
    resourceId: row.resource_id,
    what: row.what,
    outcome: row.outcome,
    detail: row.detail,
    related: row.related,
  }));
}

/** Forgets events from before the given time. */
export const forgetEvents = (on: Sql, before: Date): Promise<number> =>
  on.exec('delete from event where at < $1', [before]);
