import { fail } from '#libs/kernel';
import { type Db, isUnique, type Tx } from '#libs/platform/db';
import { DEEPEST, DEFAULT_DOMAIN, type Extra, type Options, type Project } from '#services/identity/domain';
import type { Change, Changes } from './changes.js';
import type { Directory } from './directory.js';
import { type Filter, json, setClause, Where } from './filter.js';
import { lossesOfGroups } from './losses.js';

export const PROJECT_COLUMNS =
  'p.id, p.name, p.domain_id, p.parent_id, p.is_domain, p.enabled, p.description, p.ancestors, p.tags, p.options, p.extra';

export interface ProjectRow {
  id: string;
  name: string;
  domain_id: string | null;
  parent_id: string | null;
  is_domain: boolean;
  enabled: boolean;
  description: string;
  ancestors: string[];
  tags: string[];
  options: Options;
  extra: Extra;
}

export const projectOf = (row: ProjectRow): Project => ({
  id: row.id,
  name: row.name,
  domainId: row.domain_id ?? undefined,
  parentId: row.parent_id ?? undefined,
  isDomain: row.is_domain,
  enabled: row.enabled,
  description: row.description,
  ancestors: row.ancestors,
  tags: row.tags,
  options: row.options,
  extra: row.extra,
});

/** Both kinds live in one table; each API sees its own. */
export type Kind = 'project' | 'domain';

export interface ProjectPatch {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly options?: Options | undefined;
  readonly extra?: Extra | undefined;
}

export interface TagFilters {
  /** Every one of them. */
  readonly all?: readonly string[] | undefined;
  readonly any?: readonly string[] | undefined;
  readonly notAll?: readonly string[] | undefined;
  readonly notAny?: readonly string[] | undefined;
}

const FIELDS = {
  name: 'p.name',
  domain_id: 'p.domain_id',
  parent_id: 'p.parent_id',
  enabled: 'p.enabled',
  is_domain: 'p.is_domain',
};

export const noProject = (id: string, kind: Kind = 'project') => fail.notFound(`Could not find ${kind}: ${id}.`);
const taken = (kind: Kind) =>
  fail.conflict(`Conflict occurred attempting to store ${kind} - it is not permitted to have two of one name.`);

export class Projects {
  constructor(
    private readonly db: Db,
    private readonly changes: Changes,
    private readonly directory: Directory,
  ) {}

  async list(filters: readonly Filter[], tags: TagFilters = {}): Promise<Project[]> {
    const where = new Where().filters(filters, FIELDS);
    if (tags.all) where.and('p.tags @> ?', tags.all);
    if (tags.any) where.and('p.tags && ?', tags.any);
    if (tags.notAll) where.and('not p.tags @> ?', tags.notAll);
    if (tags.notAny) where.and('not p.tags && ?', tags.notAny);
    const sql = `select ${PROJECT_COLUMNS} from projects p where ${where.sql} order by p.name, p.id`;
    return (await this.db.query<ProjectRow>(sql, where.params)).map(projectOf);
  }

  async find(id: string, kind?: Kind): Promise<Project> {
    const row = await this.db.one<ProjectRow>(`select ${PROJECT_COLUMNS} from projects p where p.id = $1`, [id]);
    if (!row || (kind === 'domain' && !row.is_domain)) throw noProject(id, kind);
    return projectOf(row);
  }

  async parents(project: Project): Promise<Project[]> {
    const sql = `select ${PROJECT_COLUMNS} from projects p where p.id = any($1) and not p.is_domain
       order by cardinality(p.ancestors) desc`;
    return (await this.db.query<ProjectRow>(sql, [project.ancestors])).map(projectOf);
  }

  async subtree(project: Project): Promise<Project[]> {
    const sql = `select ${PROJECT_COLUMNS} from projects p where p.ancestors @> array[$1] order by cardinality(p.ancestors), p.name`;
    return (await this.db.query<ProjectRow>(sql, [project.id])).map(projectOf);
  }

  /** What the user may have a token for: by himself, by his groups, by inheritance. */
  async reachable(userId: string, kind: Kind, onlyEnabled: boolean): Promise<Project[]> {
    const sql = `with own as (
         select target_id, inherited from assignments where user_id = $1 and target_id is not null
         union select a.target_id, a.inherited from group_members m join assignments a on a.group_id = m.group_id
         where m.user_id = $1 and a.target_id is not null)
       select ${PROJECT_COLUMNS} from projects p left join projects d on d.id = p.domain_id
       where p.is_domain = $2 and (not $3 or (p.enabled and coalesce(d.enabled, true)))
         and (p.id in (select target_id from own where not inherited)
           or p.ancestors && array(select target_id from own where inherited))
       order by p.name, p.id`;
    return (await this.db.query<ProjectRow>(sql, [userId, kind === 'domain', onlyEnabled])).map(projectOf);
  }

  /** Returns the row as it came to be: the ancestors follow from the parent. */
  async create(project: Omit<Project, 'ancestors'>): Promise<Project> {
    const kind = project.isDomain ? 'domain' : 'project';
    try {
      return await this.changes.run(`create_${kind}`, async (tx) => {
        const ancestors = project.isDomain ? [] : await ancestorsFor(tx, project);
        await tx.exec(
          `insert into projects (id, name, domain_id, parent_id, is_domain, enabled, description, ancestors, tags, options,
             extra) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
          [
            project.id,
            project.name,
            project.domainId ?? null,
            project.parentId ?? null,
            project.isDomain,
            project.enabled,
            project.description,
            ancestors,
            project.tags,
            json(project.options),
            json(project.extra),
          ],
        );
        return { ...project, ancestors };
      });
    } catch (error) {
      throw isUnique(error) ? taken(kind) : error;
    }
  }

  async update(id: string, patch: ProjectPatch, kind?: Kind): Promise<Project> {
    try {
      return await this.changes.run('update_project', (tx, change) => update(tx, change, id, patch, kind));
    } catch (error) {
      throw isUnique(error) ? taken(kind ?? 'project') : error;
    }
  }

  /** A domain takes everything in it along; it must have been disabled before. */
  async remove(id: string, kind?: Kind): Promise<void> {
    const { graph } = await this.directory.current();
    await this.changes.run('delete_project', async (tx, change) => {
      const project = await locked(tx, id, kind);
      refuseRemoval(project);
      if (project.isDomain) {
        change.directory();
        change.revoke({ domainId: id }, ...(await lossesOfGroups(tx, graph, 'g.domain_id = $1', [id])));
      } else {
        if (await tx.one('select 1 from projects where parent_id = $1', [id]))
          throw fail.forbidden(`Cannot delete the project ${id} since it is not a leaf in the hierarchy.`);
        change.revoke({ projectId: id });
      }
      await tx.exec(
        `update users set default_project_id = null where default_project_id in
           (select id from projects where id = $1 or domain_id = $1)`,
        [id],
      );
      await tx.exec('delete from projects where id = $1', [id]);
    });
  }
}

async function locked(tx: Tx, id: string, kind: Kind | undefined): Promise<Project> {
  const sql = `select ${PROJECT_COLUMNS} from projects p where p.id = $1 for update`;
  const row = await tx.one<ProjectRow>(sql, [id]);
  if (!row || (kind === 'domain' && !row.is_domain)) throw noProject(id, kind);
  return projectOf(row);
}

function refuseRemoval(project: Project): void {
  if (project.options.immutable) throw fail.forbidden(`Cannot delete project ${project.id}: it is immutable.`);
  if (!project.isDomain) return;
  if (project.id === DEFAULT_DOMAIN) throw fail.forbidden('The default domain can not be deleted.');
  if (project.enabled) throw fail.forbidden('Cannot delete a domain that is enabled, please disable it first.');
}

async function ancestorsFor(tx: Tx, project: Omit<Project, 'ancestors'>): Promise<readonly string[]> {
  const parentId = project.parentId ?? '';
  const sql = `select ${PROJECT_COLUMNS} from projects p where p.id = $1 for share`;
  const row = await tx.one<ProjectRow>(sql, [parentId]);
  if (!row) throw noProject(parentId, parentId === project.domainId ? 'domain' : 'project');
  const parent = projectOf(row);
  if ((parent.isDomain ? parent.id : parent.domainId) !== project.domainId)
    throw fail.invalid('The parent project lies in another domain.');
  if (parent.ancestors.length >= DEEPEST) throw fail.forbidden('The hierarchy of projects is too deep.');
  if (!parent.enabled && !parent.isDomain) throw fail.forbidden('Cannot create a project below one that is disabled.');
  return [...parent.ancestors, parent.id];
}

async function update(
  tx: Tx,
  change: Change,
  id: string,
  patch: ProjectPatch,
  kind: Kind | undefined,
): Promise<Project> {
  const before = await locked(tx, id, kind);
  if (before.options.immutable && patch.options?.immutable !== false)
    throw fail.forbidden(`Cannot update project ${id}: it is immutable.`);
  const switched = patch.enabled !== undefined && patch.enabled !== before.enabled;
  if (switched && !before.isDomain) await refuseSwitch(tx, before, patch.enabled === true);
  const params: unknown[] = [id];
  const { name, description, enabled, tags, options, extra } = patch;
  const columns = { name, description, enabled, tags, options: json(options), extra: json(extra) };
  const set = setClause(columns, params) ?? 'set id = id';
  const row = await tx.one<ProjectRow>(`update projects p ${set} where p.id = $1 returning ${PROJECT_COLUMNS}`, params);
  if (!row) throw noProject(id, kind);
  if (switched && !row.enabled) change.revoke(row.is_domain ? { domainId: id } : { projectId: id });
  return projectOf(row);
}

/** No enabled project stands below a disabled one. */
async function refuseSwitch(tx: Tx, project: Project, enable: boolean): Promise<void> {
  const sql = enable
    ? 'select 1 from projects where id = any($1) and not enabled and not is_domain'
    : 'select 1 from projects where ancestors @> $1 and enabled';
  const stands = await tx.one(sql, [enable ? project.ancestors : [project.id]]);
  if (!stands) return;
  throw fail.forbidden(
    enable
      ? `Cannot enable project ${project.id}: one above it is disabled.`
      : `Cannot disable project ${project.id}: one below it is enabled.`,
  );
}
