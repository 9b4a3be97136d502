/**
 * What a token is made from, each in one statement and so in one snapshot: the user as he stands, what he asks for, what
 * he was assigned, and how many revocations there were. Prepared once per connection; the texts never vary.
 */
import type { Db, Statement } from '#libs/platform/db';
import type { Assignment, Ref, ScopeRequest, Standing } from '#services/identity/domain';

export interface Identified {
  readonly userId: string;
  readonly passwordHash: string | null;
}

/** A standing, with the numbers of the ledger in the same snapshot. */
export interface Snapshot {
  readonly standing: Standing;
  /** For comparing with what was verified; never leaves the process. */
  readonly passwordHash: string | null;
  readonly defaultProjectId: string | undefined;
  readonly seq: number;
  readonly directoryVersion: number;
}

interface Row {
  id: string;
  name: string;
  password_hash: string | null;
  default_project_id: string | null;
  user_enabled: boolean;
  domain_id: string;
  domain_name: string;
  target_id: string | null;
  target_name: string;
  target_is_domain: boolean;
  target_enabled: boolean;
  target_ancestors: string[];
  target_domain_id: string | null;
  target_domain_name: string;
  assignments: { roleId: string; targetId: string | null; inherited: boolean }[];
  seq: number;
  version: number;
}

const BY_DOMAIN_NAME = '(select id from projects where is_domain and domain_id is null and name = $N)';

const IDENTIFY = {
  id: 'id = $1',
  domainId: 'name = $1 and domain_id = $2',
  domainName: `name = $1 and domain_id = ${BY_DOMAIN_NAME.replace('$N', '$2')}`,
} as const;

const IDENTIFIERS = new Map<string, Statement>(
  Object.entries(IDENTIFY).map(([by, condition]) => [
    by,
    {
      name: `identity.auth.identify.${by}`,
      text: `select id as user_id, password_hash from users where ${condition}`,
    },
  ]),
);

function identifier(ref: Ref): { by: keyof typeof IDENTIFY; params: string[] } {
  if ('id' in ref) return { by: 'id', params: [ref.id] };
  if (ref.domain?.id !== undefined) return { by: 'domainId', params: [ref.name, ref.domain.id] };
  return { by: 'domainName', params: [ref.name, ref.domain?.name ?? ''] };
}

/** The join of the target by the way it is named. `$2` and `$3` are its name or id and its domain's. */
const TARGETS = {
  none: 'false',
  default: 't.id = u.default_project_id and not t.is_domain',
  projectById: 't.id = $2 and not t.is_domain',
  projectByDomainId: 't.name = $2 and t.domain_id = $3',
  projectByDomainName: `t.name = $2 and t.domain_id = ${BY_DOMAIN_NAME.replace('$N', '$3')}`,
  domainById: 't.id = $2 and t.is_domain',
  domainByName: 't.name = $2 and t.domain_id is null and t.is_domain',
} as const;
type TargetKind = keyof typeof TARGETS;

const assignmentsWhere = (condition: string): string => `(
  select coalesce(json_agg(json_build_object('roleId', role_id, 'targetId', target_id, 'inherited', inherited)), '[]')
  from (select role_id, target_id, inherited from assignments a where a.user_id = u.id and ${condition}
    union all select a.role_id, a.target_id, a.inherited from group_members m join assignments a on a.group_id = m.group_id
    where m.user_id = u.id and ${condition}) own)`;

const standing = (kind: TargetKind, system: boolean): Statement => ({
  name: `identity.auth.standing.${system ? 'system' : kind}`,
  text: `select u.id, u.name, u.password_hash, u.default_project_id, u.enabled and d.enabled as user_enabled,
      d.id as domain_id, d.name as domain_name, t.id as target_id, t.name as target_name, t.is_domain as target_is_domain,
      t.enabled and coalesce(td.enabled, true) as target_enabled, t.ancestors as target_ancestors,
      td.id as target_domain_id, td.name as target_domain_name,
      ${assignmentsWhere(system ? 'a.target_id is null' : 'a.target_id = any(t.ancestors || t.id)')} as assignments,
      l.revocation_seq as seq, l.directory_version as version
    from ledger l, users u join projects d on d.id = u.domain_id
      left join projects t on ${TARGETS[kind]} left join projects td on td.id = t.domain_id
    where u.id = $1`,
});

const STATEMENTS = new Map<string, Statement>(
  (Object.keys(TARGETS) as TargetKind[]).map((kind) => [kind, standing(kind, false)]),
);
const SYSTEM = standing('none', true);

function targetOf(request: ScopeRequest): { statement: Statement; params: string[] } {
  if (request.kind === 'system') return { statement: SYSTEM, params: [] };
  if (request.kind === 'unscoped') return { statement: STATEMENTS.get('none')!, params: [] };
  if (request.kind === 'default') return { statement: STATEMENTS.get('default')!, params: [] };
  const { kind, params } = named(request.kind, request.ref);
  return { statement: STATEMENTS.get(kind)!, params };
}

function named(scope: 'project' | 'domain', ref: Ref): { kind: TargetKind; params: string[] } {
  if ('id' in ref) return { kind: scope === 'project' ? 'projectById' : 'domainById', params: [ref.id] };
  if (scope === 'domain') return { kind: 'domainByName', params: [ref.name] };
  if (ref.domain?.id !== undefined) return { kind: 'projectByDomainId', params: [ref.name, ref.domain.id] };
  return { kind: 'projectByDomainName', params: [ref.name, ref.domain?.name ?? ''] };
}

export class AuthReads {
  constructor(private readonly db: Db) {}

  /** The user of that id, or of that name in that domain, enabled or not. */
  async identify(ref: Ref): Promise<Identified | undefined> {
    const { by, params } = identifier(ref);
    const row = await this.db.one<{ user_id: string; password_hash: string | null }>(IDENTIFIERS.get(by)!, params);
    return row && { userId: row.user_id, passwordHash: row.password_hash };
  }

  async standing(userId: string, request: ScopeRequest): Promise<Snapshot | undefined> {
    const { statement, params } = targetOf(request);
    const row = await this.db.one<Row>(statement, [userId, ...params]);
    return row && snapshotOf(row);
  }
}

function snapshotOf(row: Row): Snapshot {
  return {
    standing: {
      user: {
        id: row.id,
        name: row.name,
        domain: { id: row.domain_id, name: row.domain_name },
        enabled: row.user_enabled,
      },
      target:
        row.target_id === null
          ? undefined
          : {
              id: row.target_id,
              name: row.target_name,
              isDomain: row.target_is_domain,
              domain:
                row.target_domain_id === null ? undefined : { id: row.target_domain_id, name: row.target_domain_name },
              ancestors: row.target_ancestors,
              enabled: row.target_enabled,
            },
      assignments: row.assignments.map(
        ({ roleId, targetId, inherited }): Assignment => ({ roleId, targetId: targetId ?? undefined, inherited }),
      ),
    },
    passwordHash: row.password_hash,
    defaultProjectId: row.default_project_id ?? undefined,
    seq: row.seq,
    directoryVersion: row.version,
  };
}
