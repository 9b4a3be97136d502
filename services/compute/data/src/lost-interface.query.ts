/** Interfaces of servers whose ports network no longer tells of: they are on their way out, and nobody is taking them there. */
import type { Sql } from '#libs/platform/db';
import { MOVES, SERVER_DETACH_INTERFACE } from '#services/compute/domain';

export interface LostInterface {
  readonly serverId: string;
  readonly projectId: string;
  readonly portId: string;
}

/** $1: the states from which an interface may be taken; $2: a server, or all; $3: what was given up since waits. */
const FIND = {
  name: 'server.lost_interfaces',
  text: `select s.id as "serverId", s.project_id as "projectId", n->>'portId' as "portId"
    from server s cross join lateral jsonb_array_elements(s.nics) n
    where s.vm_state = any ($1) and s.task_state is null and s.host is not null and ($2::uuid is null or s.id = $2)
      and not exists (select 1 from jsonb_array_elements(s.addresses) a where a->>'portId' = n->>'portId')
      and not exists (select 1 from task t where t.key = 'server/' || s.id and (t.state in ('running', 'queued')
        or (t.kind = '${SERVER_DETACH_INTERFACE}' and t.state = 'undone' and t.finished_at > $3)))
    limit 100`,
};

/** `givenUpAfter`: one that could not be taken since then is left alone. */
export const lostInterfaces = (on: Sql, serverId: string | null, givenUpAfter: Date): Promise<LostInterface[]> =>
  on.query<LostInterface>(FIND, [MOVES.changeInterfaces.from, serverId, givenUpAfter]);
