/** What the operator's command learns from identity: how it does, which projects there are, what was revoked and why. */
import type { operatorV1 } from '#libs/contract';
import type { Clock } from '#libs/kernel';
import type { Implementation } from '#libs/platform/grpc';
import type { Store } from '#services/identity/data';

export interface OperatorParts {
  readonly store: Store;
  readonly process: string;
  readonly version: string;
  readonly clock: Clock;
  readonly startedAtMs: number;
}

type Operator = Implementation<typeof operatorV1.OperatorService>;
type StatusLine = operatorV1.StatusLine;

export function operatorServer(parts: OperatorParts): Operator {
  return {
    trace: async ({ id }) => ({ events: await traceOf(parts, id) }),
    books: async () => ({ rows: await booksOf(parts) }),
    status: async () => ({
      process: parts.process,
      version: parts.version,
      uptimeMs: parts.clock.now().getTime() - parts.startedAtMs,
      lines: await statusOf(parts),
    }),
  };
}

async function statusOf({ store }: OperatorParts): Promise<StatusLine[]> {
  const { revocations } = store;
  const database = await store.db.one('select 1').then(
    () => ({ name: 'database', state: 'ok', detail: '' }),
    () => ({ name: 'database', state: 'down', detail: 'it does not answer' }),
  );
  const feed = {
    name: 'token feed',
    state: revocations.alive ? 'ok' : 'down',
    detail: `${revocations.followers} followers, ${revocations.size} revocations in force, last ${revocations.lastSeq}`,
  };
  return [database, feed];
}

/** Projects and users, so that the auditor finds what belongs to none any more. */
async function booksOf({ store }: OperatorParts): Promise<operatorV1.BookRow[]> {
  const row = (kind: string, id: string, state: string, facts: Record<string, string>) => ({
    kind,
    id,
    serverId: '',
    node: '',
    state,
    facts,
  });
  const [projects, users] = await Promise.all([store.projects.list([]), store.users.list([])]);
  return [
    ...projects.map((project) =>
      row(project.isDomain ? 'identity_domain' : 'project', project.id, project.enabled ? 'enabled' : 'disabled', {
        name: project.name,
        domain: project.domainId ?? '',
      }),
    ),
    ...users.map((user) =>
      row('user', user.id, user.enabled ? 'enabled' : 'disabled', { name: user.name, domain: user.domainId }),
    ),
  ];
}

interface TraceRow {
  seq: number;
  issued_before_ms: number;
  reason: string;
  request_id: string | null;
  ids: string[];
}

async function traceOf({ store }: OperatorParts, id: string): Promise<operatorV1.TraceEvent[]> {
  const rows = await store.db.query<TraceRow>(
    `select seq, issued_before_ms, reason, request_id,
       array_remove(array[user_id, project_id, domain_id, role_id, delegation_id], null) as ids
     from revocations
     where $1 in (request_id, user_id, project_id, domain_id, role_id, delegation_id) order by seq limit 500`,
    [id],
  );
  return rows.map((row) => ({
    atMs: row.issued_before_ms,
    service: 'identity',
    node: '',
    what: `tokens revoked: ${row.reason}`,
    outcome: 'ok',
    detail: `revocation ${row.seq}`,
    requestId: row.request_id ?? '',
    taskId: '',
    relatedIds: row.ids.filter((other) => other !== id),
  }));
}
