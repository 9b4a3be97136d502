/**
 * Whether a node may take servers. It comes up only when nothing is left on it that should have gone (one compare-and-set
 * against `server_node`), so an allocation that was released for a node that is away can never be given out twice.
 */
import type { Sql, Tx } from '#libs/platform/db';
import type { NodeBeat } from '#services/compute/domain';

export const NODE_CHANNEL = 'compute_node';
/** What placement has been told of a node that takes servers. */
export const OPEN = 'open';

const BEATS = {
  name: 'node.beats',
  text: `update node n set last_seen = greatest(n.last_seen, x."at"), free_disk_gb = coalesce(x."freeDiskGb", n.free_disk_gb),
      free_memory_mb = coalesce(x."freeMemoryMb", n.free_memory_mb), load_average = coalesce(x."loadAverage", n.load_average),
      uptime_s = coalesce(x."uptimeS", n.uptime_s), digest = coalesce(x.digest, n.digest),
      trouble = case when x.digest is null then n.trouble else x.trouble end,
      highest_fence = greatest(n.highest_fence, x."highestFence")
    from jsonb_to_recordset($1::jsonb) as x (name text, "at" timestamptz, "freeDiskGb" bigint, "freeMemoryMb" bigint, "loadAverage" text,
      "uptimeS" bigint, digest text, trouble text, "highestFence" bigint)
    where n.name = x.name`,
};
const UP = {
  name: 'node.up',
  text: `with up as (
      update node set state = 'up', state_reason = '', state_since = $2
       where name = $1 and state = 'down' and not forced_down and not exists (
         select 1 from server_node where node = $1 and power = 'absent' and confirmed_at is null) returning name
    ), event as (insert into node_event (at, node, what, outcome) select $2, name, 'node up', 'done' from up)
    select name from up`,
};
const DOWN = {
  name: 'node.down',
  text: `with down as (
      update node set state = 'down', state_reason = $3, state_since = $2 where name = $1 and state = 'up' returning name
    ), event as (insert into node_event (at, node, what, outcome, detail) select $2, name, 'node down', 'failed', $3 from down)
    select name from down`,
};

const ZONE = { name: 'node.zone', text: 'select availability_zone as zone from node where name = $1' };

export interface NodeState {
  readonly name: string;
  readonly state: 'up' | 'down';
  readonly reason: string;
  readonly lastSeen: Date;
  readonly disabled: boolean;
  readonly disabledReason: string | null;
  readonly forcedDown: boolean;
  readonly told: string;
  readonly toldAt: Date | null;
}

export type HeardNode = Partial<NodeBeat> & { readonly name: string; readonly at: Date };

export class NodeStateRepo {
  /** Signs of life of many nodes in one statement. */
  async heard(on: Sql, nodes: readonly HeardNode[]): Promise<void> {
    await on.exec(BEATS, [JSON.stringify(nodes)]);
  }

  list(on: Sql): Promise<NodeState[]> {
    return on.query<NodeState>(
      `select name, state, state_reason as reason, last_seen as "lastSeen", disabled, disabled_reason as "disabledReason",
         forced_down as "forcedDown", told, told_at as "toldAt" from node`,
    );
  }

  /** Whether it is up now. False: something is left on it, or the operator holds it down. */
  async up(tx: Tx, name: string, now: Date): Promise<boolean> {
    if (await tx.one(UP, [name, now])) return true;
    return (await tx.one(`select 1 from node where name = $1 and state = 'up'`, [name])) !== undefined;
  }

  /** False: it was down already. */
  async down(on: Sql, name: string, reason: string, now: Date): Promise<boolean> {
    return (await on.one(DOWN, [name, now, reason])) !== undefined;
  }

  /** Placement has taken note: `open`, or why the node takes nothing; and of which revision of it. */
  async told(on: Sql, name: string, told: string, now: Date, revision = 0): Promise<void> {
    await on.exec(
      'update node set told = $2, told_at = $3, told_revision = greatest(told_revision, $4) where name = $1',
      [name, told, now, revision],
    );
  }

  /** The node's availability zone. */
  async zoneOf(on: Sql, name: string): Promise<string | undefined> {
    return (await on.one<{ zone: string }>(ZONE, [name]))?.zone;
  }
}
