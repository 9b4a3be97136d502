/** Servers as the books say they should be beside what their nodes say they are, where no operation is at work. */
import type { Db, Sql } from '#libs/platform/db';
import type { DesiredPower, ServerReport, TaskState, VmState } from '#services/compute/domain';

/** One server on one node. */
export interface StandingRow {
  readonly serverId: string;
  readonly node: string;
  readonly vmState: VmState | undefined;
  readonly taskState: TaskState | null;
  readonly desired: DesiredPower;
  readonly confirmed: boolean;
  readonly power: ServerReport['power'] | undefined;
  readonly event: boolean;
}

const SELECT = `select n.server_id as "serverId", n.node, s.vm_state as "vmState", s.task_state as "taskState", n.power as desired,
    n.confirmed_at is not null as confirmed, r.power, coalesce(r.event, false) as event
  from server_node n join node m on m.name = n.node and m.state = 'up'
  left join server_report r on r.server_id = n.server_id and r.node = n.node
  left join server s on s.id = n.server_id
  where not exists (select 1 from task t where t.key = 'server/' || n.server_id and t.state in ('running', 'queued'))`;
const DIFFERS = `((n.power <> 'absent' and r.power is distinct from n.power) or (n.power = 'absent' and n.confirmed_at is null))`;

const OF_SERVER = { name: 'standing.of_server', text: `${SELECT} and n.server_id = $1` };
const DIFFERING_ON = { name: 'standing.differing_on', text: `${SELECT} and n.node = $1 and ${DIFFERS} limit 1000` };
const DIFFERING = { name: 'standing.differing', text: `${SELECT} and ${DIFFERS} limit 1000` };

/** A server whose task state says that something is under way, while no task is. */
export interface Stranded {
  readonly id: string;
  readonly projectId: string;
  readonly vmState: VmState;
  readonly taskState: TaskState | null;
}

const STRANDED = `select s.id, s.project_id as "projectId", s.vm_state as "vmState", s.task_state as "taskState" from server s
  where (s.task_state is not null or s.vm_state = 'building') and s.updated_at < $1
    and not exists (select 1 from task t where t.key = 'server/' || s.id and t.state in ('running', 'queued', 'stuck')) limit 100`;

export class StandingRepo {
  ofServer(on: Sql, serverId: string): Promise<StandingRow[]> {
    return on.query<StandingRow>(OF_SERVER, [serverId]);
  }

  differingOn(on: Sql, node: string): Promise<StandingRow[]> {
    return on.query<StandingRow>(DIFFERING_ON, [node]);
  }

  /** On all nodes that are up. */
  differing(on: Sql): Promise<StandingRow[]> {
    return on.query<StandingRow>(DIFFERING);
  }

  /** Servers in between two states since before that time, with nobody to take them further. */
  stranded(on: Sql, before: Date): Promise<Stranded[]> {
    return on.query<Stranded>(STRANDED, [before]);
  }

  /** What nodes said before that time, and rows about servers that are gone and confirmed to be gone. */
  async sweep(on: Sql, before: Date): Promise<void> {
    await on.exec('delete from node_event where at < $1', [before]);
    await on.exec(`delete from server_node n where power = 'absent' and confirmed_at is not null
      and not exists (select 1 from server s where s.id = n.server_id)`);
    await on.exec(`delete from server_report r
      where not exists (select 1 from server_node n where n.server_id = r.server_id and n.node = r.node)`);
  }

  /** Makes the recorded usage what the servers add up to; returns the projects where it was not. */
  async recount(db: Db): Promise<string[]> {
    const suspects = await db.query<Usage>(MISCOUNTED, [null]);
    if (!suspects.length) return [];
    const projects = suspects.map((row) => row.projectId);
    // Under the lock no insert or delete of a server is under way, and what is counted next includes all before it.
    return db.tx(async (tx) => {
      await tx.query('select 1 from quota_usage where project_id = any ($1) order by project_id for update', [
        projects,
      ]);
      const wrong = await tx.query<Usage>(MISCOUNTED, [projects]);
      for (const { projectId, instances, cores, ram } of wrong)
        await tx.exec('update quota_usage set instances = $2, cores = $3, ram = $4 where project_id = $1', [
          projectId,
          instances,
          cores,
          ram,
        ]);
      return wrong.map((row) => row.projectId);
    });
  }

  /** Usage as recorded beside what the servers add up to, of every project. */
  usage(on: Sql): Promise<ProjectUsage[]> {
    return on.query<ProjectUsage>(USAGE);
  }
}

export interface Counts {
  readonly instances: number;
  readonly cores: number;
  readonly ram: number;
}
export interface ProjectUsage {
  readonly projectId: string;
  readonly counted: Counts;
  readonly recorded: Counts;
}
interface Usage extends Counts {
  readonly projectId: string;
}

const COUNTED = `select q.project_id as "projectId", count(s.id) as instances,
    coalesce(sum(s.cores), 0)::bigint as cores, coalesce(sum(s.ram), 0)::bigint as ram,
    q.instances as was_instances, q.cores as was_cores, q.ram as was_ram
  from quota_usage q left join server s on s.project_id = q.project_id group by q.project_id`;
const MISCOUNTED = `select * from (${COUNTED}) c
  where (instances, cores, ram) is distinct from (was_instances, was_cores, was_ram) and ($1::text[] is null or "projectId" = any ($1))`;
const USAGE = `select "projectId",
    json_build_object('instances', instances, 'cores', cores, 'ram', ram) as counted,
    json_build_object('instances', was_instances, 'cores', was_cores, 'ram', was_ram) as recorded from (${COUNTED}) c`;
