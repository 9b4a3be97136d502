/** Which servers ran within a period, deleted ones included: the raw material of usage reports. */
import { isUuid } from '#libs/kernel';
import type { Sql } from '#libs/platform/db';
import type { FlavorSnapshot, VmState } from '#services/compute/domain';

export interface RanServer {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly vmState: VmState;
  readonly flavor: FlavorSnapshot;
  readonly launchedAt: Date;
  readonly terminatedAt: Date | null;
}

export interface UsagePeriod {
  readonly start: Date;
  readonly end: Date;
  /** One project, or all. */
  readonly projectId: string | undefined;
  /** After this server, in the order of ids. */
  readonly marker: string | undefined;
  readonly limit: number;
}

const COLUMNS =
  'id, name, project_id as "projectId", vm_state as "vmState", flavor, launched_at as "launchedAt", terminated_at as "terminatedAt"';
const WITHIN = 'launched_at < $2 and ($3::text is null or project_id = $3) and ($4::uuid is null or id > $4)';

/** By id; one more than the limit where there is a further page. */
export function ranServers(on: Sql, period: UsagePeriod): Promise<RanServer[]> {
  const { start, end, projectId, marker, limit } = period;
  const after = marker !== undefined && isUuid(marker) ? marker : null;
  return on.query<RanServer>(
    `select * from (
       select ${COLUMNS} from server where ${WITHIN}
       union all
       select ${COLUMNS} from deleted_server where ${WITHIN} and terminated_at > $1
     ) ran order by id limit $5`,
    [start, end, projectId ?? null, after, limit + 1],
  );
}
