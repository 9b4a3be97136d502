/**
 * Limits and usage. Usage is one row per project, raised by a conditional update in the transaction that inserts the
 * servers and lowered in the one that buries them, so that it can neither drift nor be overrun.
 */
import type { Sql, Tx } from '#libs/platform/db';
import {
  limitsFrom,
  type QuotaLimits,
  type QuotaResource,
  type ServerUsage,
  UNLIMITED,
} from '#services/compute/domain';

interface LimitRow {
  readonly projectId: string;
  readonly userId: string;
  readonly resource: QuotaResource;
  readonly limit: number;
}

/** The limits of a project, and those of one of its users where somebody set any. */
export interface EffectiveLimits {
  readonly project: QuotaLimits;
  readonly user: QuotaLimits | undefined;
}

const LIMITS = {
  name: 'quota.limits',
  text: `select project_id as "projectId", user_id as "userId", resource, hard_limit as limit from quota
    where project_id in ($1, '') and user_id in ('', $2)`,
};
const USAGE = { name: 'quota.usage', text: 'select instances, cores, ram from quota_usage where project_id = $1' };
const TAKE = {
  name: 'quota.take',
  text: `insert into quota_usage as q (project_id, instances, cores, ram)
    select $1, $2::bigint, $3::bigint, $4::bigint
     where ($5::bigint < 0 or $2 <= $5) and ($6::bigint < 0 or $3 <= $6) and ($7::bigint < 0 or $4 <= $7)
    on conflict (project_id) do update
      set instances = q.instances + $2, cores = q.cores + $3, ram = q.ram + $4
      where ($5 < 0 or q.instances + $2 <= $5) and ($6 < 0 or q.cores + $3 <= $6) and ($7 < 0 or q.ram + $4 <= $7)`,
};
const USED_BY_USER = `select count(*) as instances, coalesce(sum(cores), 0)::bigint as cores,
  coalesce(sum(ram), 0)::bigint as ram from server where project_id = $1 and user_id = $2`;

const NOTHING: ServerUsage = { instances: 0, cores: 0, ram: 0 };
const within = (used: ServerUsage, limits: QuotaLimits): boolean =>
  (['instances', 'cores', 'ram'] as const).every((r) => limits[r] === UNLIMITED || used[r] <= limits[r]);

export class QuotaRepo {
  async limits(on: Sql, projectId: string, userId = ''): Promise<EffectiveLimits> {
    const rows = await on.query<LimitRow>(LIMITS, [projectId, userId]);
    const pick = (project: string, user: string): Partial<QuotaLimits> =>
      Object.fromEntries(
        rows.filter((r) => r.projectId === project && r.userId === user).map((r) => [r.resource, r.limit]),
      );
    const project = limitsFrom(pick('', ''), projectId ? pick(projectId, '') : {});
    const own = userId && projectId ? pick(projectId, userId) : {};
    return { project, user: Object.keys(own).length ? limitsFrom(project, own) : undefined };
  }

  /** Limits that hold where a project has none of its own. */
  async defaults(on: Sql): Promise<QuotaLimits> {
    return (await this.limits(on, '')).project;
  }

  /** Sets the named limits; '' as the project changes the defaults. */
  async set(on: Sql, projectId: string, userId: string, limits: Partial<QuotaLimits>): Promise<void> {
    const entries = Object.entries(limits);
    await on.exec(
      `insert into quota (project_id, user_id, resource, hard_limit)
         select $1, $2, resource, hard_limit from unnest($3::text[], $4::bigint[]) as t (resource, hard_limit)
       on conflict (project_id, user_id, resource) do update set hard_limit = excluded.hard_limit`,
      [projectId, userId, entries.map(([name]) => name), entries.map(([, limit]) => limit)],
    );
  }

  /** Back to the defaults: of the project with all of its users, or of one user. */
  async clear(on: Sql, projectId: string, userId: string): Promise<void> {
    await on.exec(`delete from quota where project_id = $1 and ($2 = '' or user_id = $2)`, [projectId, userId]);
  }

  async usage(on: Sql, projectId: string): Promise<ServerUsage> {
    return (await on.one<ServerUsage>(USAGE, [projectId])) ?? NOTHING;
  }

  async usageOfUser(on: Sql, projectId: string, userId: string): Promise<ServerUsage> {
    return (await on.one<ServerUsage>(USED_BY_USER, [projectId, userId])) ?? NOTHING;
  }

  /**
   * Takes what new servers need; their rows are in the same transaction already. False: over a limit, and the caller
   * rolls back. The project's row stays locked until the end, so a user's share can be counted.
   */
  async take(tx: Tx, projectId: string, userId: string, usage: ServerUsage, limits: EffectiveLimits): Promise<boolean> {
    const { instances, cores, ram } = limits.project;
    const wanted = [projectId, usage.instances, usage.cores, usage.ram, instances, cores, ram];
    if ((await tx.exec(TAKE, wanted)) !== 1) return false;
    return !limits.user || within(await this.usageOfUser(tx, projectId, userId), limits.user);
  }
}
