/**
 * Quotas. A resource's name is its table's, too. What is used is one row per project and resource, changed in the transaction that makes or deletes; taking is
 * one conditional write, so no two requests can both take the last place.
 */
import type { Sql, Tx } from '#libs/platform/db';
import {
  type Amounts,
  isResource,
  limitsOf,
  overQuota,
  RESOURCES,
  type Resource,
  type Usage,
} from '#services/network/domain';

interface Counted {
  readonly resource: string;
  readonly value: number;
}

const amounts = (rows: readonly Counted[]): Partial<Amounts> =>
  Object.fromEntries(rows.filter((row) => isResource(row.resource)).map((row) => [row.resource, row.value]));

export interface ProjectLimits {
  readonly projectId: string;
  readonly limits: Amounts;
}

export class QuotaRepo {
  constructor(private readonly defaults: Amounts) {}

  get defaultLimits(): Amounts {
    return this.defaults;
  }

  /** Takes `more` of a resource; throws `OverQuota` where they do not fit. Last in a transaction: it locks the row. */
  async take(tx: Tx, projectId: string, resource: Resource, more: number): Promise<void> {
    const taken = await tx.exec(
      {
        name: 'quota-take',
        text: `with l as (select coalesce((select maximum from quota_limit where project_id = $1 and resource = $2), $4::int) as most)
          insert into quota_usage (project_id, resource, used)
          select $1, $2, $3::int from l where l.most < 0 or $3::int <= l.most
          on conflict (project_id, resource) do update set used = quota_usage.used + excluded.used
          where (select most from l) < 0 or quota_usage.used + excluded.used <= (select most from l)`,
      },
      [projectId, resource, more, this.defaults[resource]],
    );
    if (taken === 0) throw overQuota([resource]);
  }

  /** Counts something that exists whatever the limit, such as a project's default group. */
  async count(tx: Tx, projectId: string, resource: Resource, more: number): Promise<void> {
    await tx.exec(
      `insert into quota_usage (project_id, resource, used) values ($1, $2, $3)
       on conflict (project_id, resource) do update set used = quota_usage.used + excluded.used`,
      [projectId, resource, more],
    );
  }

  /** Gives back one for each project named, as often as it is named. Ports of nobody count nowhere. */
  async release(tx: Tx, resource: Resource, projectIds: readonly string[]): Promise<void> {
    const counts = new Map<string, number>();
    for (const id of projectIds) if (id !== '') counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await tx.exec('update quota_usage set used = used - $3 where project_id = $1 and resource = $2', [
        id,
        resource,
        count,
      ]);
    }
  }

  async limits(on: Sql, projectId: string): Promise<Amounts> {
    const rows = await on.query<Counted>('select resource, maximum as value from quota_limit where project_id = $1', [
      projectId,
    ]);
    return limitsOf(amounts(rows), this.defaults);
  }

  async usage(on: Sql, projectId: string): Promise<Record<Resource, Usage>> {
    const limits = await this.limits(on, projectId);
    const rows = await on.query<Counted>('select resource, used as value from quota_usage where project_id = $1', [
      projectId,
    ]);
    const used = amounts(rows);
    return Object.fromEntries(
      RESOURCES.map((resource) => [resource, { limit: limits[resource], used: used[resource] ?? 0 }]),
    ) as Record<Resource, Usage>;
  }

  /** Projects with limits of their own. */
  async listOwn(on: Sql): Promise<ProjectLimits[]> {
    const rows = await on.query<Counted & { project_id: string }>(
      'select project_id, resource, maximum as value from quota_limit order by project_id',
    );
    const byProject = Map.groupBy(rows, (row) => row.project_id);
    return [...byProject].map(([projectId, own]) => ({ projectId, limits: limitsOf(amounts(own), this.defaults) }));
  }

  async setLimits(tx: Tx, projectId: string, limits: Partial<Amounts>): Promise<void> {
    for (const [resource, maximum] of Object.entries(limits)) {
      await tx.exec(
        `insert into quota_limit (project_id, resource, maximum) values ($1, $2, $3)
         on conflict (project_id, resource) do update set maximum = excluded.maximum`,
        [projectId, resource, maximum],
      );
    }
  }

  async reset(on: Sql, projectId: string): Promise<void> {
    await on.exec('delete from quota_limit where project_id = $1', [projectId]);
  }

  /** What is recorded beside what is counted, for the auditor: every project and resource that has either. */
  async audit(on: Sql): Promise<{ projectId: string; resource: string; recorded: number; counted: number }[]> {
    const counted = RESOURCES.map(
      (resource) =>
        `select project_id, '${resource}' as resource, count(*)::int as n from ${resource} where project_id <> '' group by 1`,
    );
    return on.query(
      `with counted as (${counted.join(' union all ')})
       select project_id as "projectId", resource, coalesce(u.used, 0) as recorded, coalesce(c.n, 0) as counted
       from quota_usage u full join counted c using (project_id, resource)`,
    );
  }
}
