/** What nodes said and what was made of it, for timelines. Reports write their events themselves (`report.repo.ts`). */
import type { Sql } from '#libs/platform/db';

export interface NodeEvent {
  readonly at: Date;
  readonly node: string;
  readonly serverId: string | null;
  readonly what: string;
  readonly outcome: string;
  readonly detail: string;
  readonly requestId: string;
}

const select = (condition: string): string =>
  `select * from (select at, node, server_id as "serverId", what, outcome, detail, request_id as "requestId" from node_event
     where ${condition} order by at desc limit 500) e order by at`;

export class NodeEventRepo {
  ofServer(on: Sql, serverId: string): Promise<NodeEvent[]> {
    return on.query<NodeEvent>(select('server_id = $1'), [serverId]);
  }

  ofRequest(on: Sql, requestId: string): Promise<NodeEvent[]> {
    return on.query<NodeEvent>(select('request_id = $1'), [requestId]);
  }

  /** What concerns the node itself. */
  ofNode(on: Sql, node: string): Promise<NodeEvent[]> {
    return on.query<NodeEvent>(select('node = $1 and server_id is null'), [node]);
  }
}
