/**
 * What nodes say of servers. Reports may come doubled, late and out of order, so they are merged: a newer pair replaces
 * everything; within one pair `done` is final, a failure may be overcome, and the node's clock decides what the power is.
 * A node is heard only about servers that it was told of, and about no pair beyond what it was told. Each report that changed something leaves an event.
 */
import type { Sql } from '#libs/platform/db';
import type { ServerReport } from '#services/compute/domain';

const SAME = '(excluded.fence, excluded.seq) = (r.fence, r.seq)';
const NEWER = '(excluded.fence, excluded.seq) > (r.fence, r.seq)';
const LATER = 'excluded.at_ms >= r.at_ms';
/** The outcome that stands after a merge, and what belongs to it. */
const byOutcome = (column: string): string =>
  `${column} = case when ${NEWER} or r.outcome = 'busy' or excluded.outcome = 'done' then excluded.${column} else r.${column} end`;
/** What the latest word decides. */
const byTime = (column: string): string =>
  `${column} = case when ${NEWER} or ${LATER} then excluded.${column} else r.${column} end`;

/** Records a report, notes it in the timeline, and confirms the desired state that it fulfils. */
const RECORD = {
  name: 'report.record',
  text: `with kept as (
      insert into server_report as r (server_id, node, fence, seq, generation, power, outcome, error, held_fence, held_seq,
        reboot_count, at_ms, event)
      select $1::uuid, $2, $3::bigint, $4::bigint, $5::bigint, $6, $7, $8, $9::bigint, $10::bigint, $11::bigint, $12::bigint, $13::boolean
        from server_node where server_id = $1 and node = $2 and (fence, seq) >= ($3, $4)
      on conflict (server_id, node) do update set fence = excluded.fence, seq = excluded.seq,
        generation = excluded.generation, ${byOutcome('outcome')}, ${byOutcome('error')},
        ${['power', 'event', 'held_fence', 'held_seq', 'at_ms'].map(byTime).join(', ')},
        reboot_count = greatest(r.reboot_count, excluded.reboot_count)
      where ${NEWER} or (${SAME} and ((r.outcome = 'busy' and excluded.outcome <> 'busy') or (r.outcome <> 'done' and excluded.outcome = 'done')
        or (${LATER} and (excluded.power, excluded.event) is distinct from (r.power, r.event))))
      returning fence, seq, power, outcome
    ), confirmed as (
      update server_node n set confirmed_at = $14 from kept k
       where n.server_id = $1 and n.node = $2 and (n.fence, n.seq, n.power) = (k.fence, k.seq, k.power)
         and k.outcome = 'done' and n.confirmed_at is null returning n.power
    ), event as (
      insert into node_event (at, node, server_id, what, outcome, detail, request_id)
      select to_timestamp($12::float8 / 1000), $2, $1, case when $13 then 'event: ' else 'report: ' end || $6,
             case when not $13 then $7 when $8::text is null then 'event' else 'incident' end,
             concat_ws('; ', 'pair ' || $3 || '/' || $4, $8), $15 from kept
    )
    select (select power from confirmed) as confirmed, exists (select 1 from kept) as changed
      from server_node where server_id = $1 and node = $2`,
};

const COLUMNS = `server_id as "serverId", node, fence, seq, generation, power, outcome, error, held_fence as "heldFence",
    held_seq as "heldSeq", reboot_count as "rebootCount", at_ms as "atMs", event`;
const LATEST = {
  name: 'report.latest',
  text: `select ${COLUMNS} from server_report where server_id = $1 and node = $2`,
};
const POWERS = {
  name: 'report.powers',
  text: `select server_id as "serverId", power, held_fence as fence from server_report where node = $1 and power <> 'absent'`,
};

/**
 * What is on the node now, all of it: $2 is an array of {serverId, power, fence, seq}. Servers that it leaves out are
 * absent. One that is being worked on, or has reported since, speaks for itself.
 */
const SURVEY = {
  name: 'report.survey',
  text: `with seen as (
      select * from jsonb_to_recordset($2::jsonb) as x ("serverId" uuid, power text, fence bigint, seq bigint)
    ), changed as (
      update server_report r set power = coalesce(s.power, 'absent'), event = false, at_ms = greatest(r.at_ms, $3),
             held_fence = coalesce(s.fence, r.held_fence), held_seq = coalesce(s.seq, r.held_seq)
        from server_report old left join seen s on s."serverId" = old.server_id
       where r.server_id = old.server_id and r.node = old.node and r.node = $1 and r.outcome <> 'busy' and r.at_ms <= $3
         and (r.power, r.held_fence) is distinct from (coalesce(s.power, 'absent'), coalesce(s.fence, r.held_fence))
      returning r.server_id, r.power
    ), event as (
      insert into node_event (at, node, server_id, what, outcome)
      select to_timestamp($3::float8 / 1000), $1, server_id, 'survey: ' || power, 'done' from changed
    )
    select server_id as "serverId" from changed`,
};

/** What of a server goes into its node's digest. */
export interface ReportedPower {
  readonly serverId: string;
  readonly power: ServerReport['power'];
  readonly fence: number;
}

/** What a report did. */
export interface Kept {
  /** It said something that was not known already. */
  readonly changed: boolean;
  /** The desired power that the node has just confirmed, where it has. */
  readonly confirmed: string | null;
}

export class ReportRepo {
  /** Undefined: the server is not this node's. */
  record(on: Sql, report: ServerReport, now: Date, requestId: string): Promise<Kept | undefined> {
    const { serverId, node, fence, seq, generation, power, outcome, error, heldFence, heldSeq, rebootCount, atMs } =
      report;
    const said = [serverId, node, fence, seq, generation, power, outcome, error, heldFence, heldSeq, rebootCount, atMs];
    return on.one<Kept>(RECORD, [...said, report.event, now, requestId]);
  }

  latest(on: Sql, serverId: string, node: string): Promise<ServerReport | undefined> {
    return on.one<ServerReport>(LATEST, [serverId, node]);
  }

  /** Everything that the node is known to hold. */
  powers(on: Sql, node: string): Promise<ReportedPower[]> {
    return on.query<ReportedPower>(POWERS, [node]);
  }

  /** Takes over a full report; returns the servers about which something else was believed. */
  async survey(
    on: Sql,
    node: string,
    servers: readonly (ReportedPower & { readonly seq: number })[],
    atMs: number,
  ): Promise<string[]> {
    const rows = await on.query<{ serverId: string }>(SURVEY, [node, JSON.stringify(servers), atMs]);
    return rows.map((row) => row.serverId);
  }
}
