/** What servers take of nodes, for operators. Placement's claims decide; these are the sums of our own rows. */
import type { Sql } from '#libs/platform/db';

export interface HostUsage {
  readonly servers: number;
  readonly busy: number;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
}

const USAGE = {
  name: 'host.usage',
  text: `select host, count(*) as servers, count(*) filter (where task_state is not null) as busy,
      coalesce(sum((flavor->>'vcpus')::bigint), 0)::bigint as vcpus,
      coalesce(sum((flavor->>'memoryMb')::bigint), 0)::bigint as "memoryMb",
      coalesce(sum((flavor->>'diskGb')::bigint + (flavor->>'ephemeralGb')::bigint), 0)::bigint as "diskGb"
    from server where host = any ($1) group by host`,
};

const NOTHING: HostUsage = { servers: 0, busy: 0, vcpus: 0, memoryMb: 0, diskGb: 0 };

/** By the node's name; a node without servers has zeros. */
export async function usageOfHosts(on: Sql, hosts: readonly string[]): Promise<(host: string) => HostUsage> {
  const rows = await on.query<HostUsage & { host: string }>(USAGE, [hosts]);
  const known = new Map(rows.map((row) => [row.host, row]));
  return (host) => known.get(host) ?? NOTHING;
}

/** Servers by the node's name. */
export async function serversOnHosts(
  on: Sql,
  hosts: readonly string[],
): Promise<Map<string, { id: string; name: string }[]>> {
  const rows = await on.query<{ host: string; id: string; name: string }>(
    'select host, id, name from server where host = any ($1) order by host, created_at, id',
    [hosts],
  );
  return Map.groupBy(rows, (row) => row.host);
}

export interface ProjectShare {
  readonly projectId: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
}

/** What the servers of each project take of one node. */
export function usageOnHost(on: Sql, host: string): Promise<ProjectShare[]> {
  return on.query<ProjectShare>(
    `select project_id as "projectId", sum((flavor->>'vcpus')::bigint)::bigint as vcpus,
        sum((flavor->>'memoryMb')::bigint)::bigint as "memoryMb",
        sum((flavor->>'diskGb')::bigint + (flavor->>'ephemeralGb')::bigint)::bigint as "diskGb"
      from server where host = $1 group by project_id order by project_id`,
    [host],
  );
}
