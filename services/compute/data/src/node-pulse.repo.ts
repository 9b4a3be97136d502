/** How nodes fare: their real load, and whether servers start on them. */
import type { Sql } from '#libs/platform/db';

export interface NodeFaring {
  readonly hypervisorId: string;
  readonly vcpus: number;
  /** As `uptime` prints it, or ''. */
  readonly loadAverage: string;
  readonly failedBuilds: number;
  readonly failedAt: Date | null;
}

const BUILT = {
  name: 'node.built',
  text: 'update node set failed_builds = 0, failed_at = null where name = $1 and failed_builds > 0',
};

export class NodePulseRepo {
  /** Of all nodes that are up. */
  list(on: Sql): Promise<NodeFaring[]> {
    return on.query<NodeFaring>(
      `select hypervisor_id as "hypervisorId", vcpus, load_average as "loadAverage", failed_builds as "failedBuilds",
         failed_at as "failedAt" from node where state = 'up'`,
    );
  }

  async failed(on: Sql, name: string, now: Date): Promise<void> {
    await on.exec('update node set failed_builds = failed_builds + 1, failed_at = $2 where name = $1', [name, now]);
  }

  /** A server has started on it: what failed before counts no more. */
  async built(on: Sql, name: string): Promise<void> {
    await on.exec(BUILT, [name]);
  }
}
