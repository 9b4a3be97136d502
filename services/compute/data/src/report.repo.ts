/** The latest report of each server. Reports may come doubled or late: only a newer one is kept. */
import type { Sql } from '#libs/platform/db';
import type { ServerReport } from '#services/compute/domain';

const RECORD = {
  name: 'report.record',
  text: `insert into server_report as r (server_id, node, fence, seq, generation, power, outcome, error, held_fence, held_seq,
      reboot_count, at_ms)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    on conflict (server_id) do update set node = excluded.node, fence = excluded.fence, seq = excluded.seq,
      generation = excluded.generation, power = excluded.power, outcome = excluded.outcome, error = excluded.error,
      held_fence = excluded.held_fence, held_seq = excluded.held_seq, reboot_count = excluded.reboot_count,
      at_ms = excluded.at_ms
    where (excluded.fence, excluded.seq, excluded.at_ms) >= (r.fence, r.seq, r.at_ms)`,
};
const LATEST = {
  name: 'report.latest',
  text: `select server_id as "serverId", node, fence, seq, generation, power, outcome, error, held_fence as "heldFence",
    held_seq as "heldSeq", reboot_count as "rebootCount", at_ms as "atMs" from server_report where server_id = $1`,
};

export class ReportRepo {
  /** False: an older one than what is known. */
  async record(on: Sql, report: ServerReport): Promise<boolean> {
    const { serverId, node, fence, seq, generation, power, outcome, error, heldFence, heldSeq, rebootCount, atMs } =
      report;
    const params = [
      serverId,
      node,
      fence,
      seq,
      generation,
      power,
      outcome,
      error,
      heldFence,
      heldSeq,
      rebootCount,
      atMs,
    ];
    return (await on.exec(RECORD, params)) === 1;
  }

  latest(on: Sql, serverId: string): Promise<ServerReport | undefined> {
    return on.one<ServerReport>(LATEST, [serverId]);
  }
}
