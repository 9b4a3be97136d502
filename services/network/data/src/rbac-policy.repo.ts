/** Who may use what another project owns. One policy for each object, action and target. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import { EVERYONE, type RbacAction, type RbacObject, type RbacPolicy } from '#services/network/domain';
import { byText, byUuid, type ListRequest, type ListSpec, listSql, type Page, pageOf, type Scope } from './listing.js';

interface Row {
  readonly id: string;
  readonly project_id: string;
  readonly object_type: RbacObject;
  readonly object_id: string;
  readonly action: RbacAction;
  readonly target: string;
}

const toPolicy = (row: Row): RbacPolicy => ({
  id: row.id,
  projectId: row.project_id,
  objectType: row.object_type,
  objectId: row.object_id,
  action: row.action,
  target: row.target,
});

const LIST: ListSpec = {
  select: 'r.*',
  from: 'rbac_policy r',
  id: 'r.id',
  filters: {
    id: byUuid('r.id'),
    project_id: byText('r.project_id'),
    tenant_id: byText('r.project_id'),
    object_type: byText('r.object_type'),
    object_id: byUuid('r.object_id'),
    action: byText('r.action'),
    target_tenant: byText('r.target'),
    target_project_id: byText('r.target'),
    target_project: byText('r.target'),
  },
  sortable: {
    id: 'r.id',
    created_at: 'r.id',
    project_id: 'r.project_id',
    object_type: 'r.object_type',
    object_id: 'r.object_id',
    action: 'r.action',
    target_tenant: 'r.target',
  },
};
export const RBAC_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export class RbacPolicyRepo {
  async find(on: Sql, id: string): Promise<RbacPolicy | undefined> {
    const row = await on.one<Row>('select r.* from rbac_policy r where r.id = $1', [id]);
    return row && toPolicy(row);
  }

  /** A project's own policies. Those that share something with it are its owner's business. */
  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<RbacPolicy>> {
    const { text, params } = listSql(LIST, request, (bind) => {
      if (scope === 'all') return 'true';
      return `r.project_id = ${bind(scope.projectId)}`;
    });
    return pageOf((await on.query<Row>(text, params)).map(toPolicy), request);
  }

  /** False where the same is said already. */
  async insert(tx: Tx, policy: RbacPolicy): Promise<boolean> {
    const done = await tx.exec(
      `insert into rbac_policy (id, project_id, object_type, object_id, action, target) values ($1, $2, $3, $4, $5, $6)
       on conflict on constraint rbac_policy_once do nothing`,
      [policy.id, policy.projectId, policy.objectType, policy.objectId, policy.action, policy.target],
    );
    return done === 1;
  }

  async setTarget(tx: Tx, id: string, target: string): Promise<RbacPolicy | undefined> {
    const row = await tx.one<Row>('update rbac_policy set target = $2 where id = $1 returning *', [id, target]);
    return row && toPolicy(row);
  }

  async delete(tx: Tx, id: string): Promise<RbacPolicy | undefined> {
    const row = await tx.one<Row>('delete from rbac_policy where id = $1 returning *', [id]);
    return row && toPolicy(row);
  }

  /** Takes back what everyone was allowed, and of what only makes sense for all also what others were. */
  async closeToAll(tx: Tx, objectId: string, action: RbacAction): Promise<RbacPolicy[]> {
    const rows = await tx.query<Row>(
      `delete from rbac_policy where object_id = $1 and action = $2 and (target = $3 or action = 'access_as_external')
       returning *`,
      [objectId, action, EVERYONE],
    );
    return rows.map(toPolicy);
  }

  /** Takes away all that was said of an object that is going; gives the policies that went. */
  async forget(tx: Tx, objectId: string): Promise<RbacPolicy[]> {
    const rows = await tx.query<Row>('delete from rbac_policy where object_id = $1 returning *', [objectId]);
    return rows.map(toPolicy);
  }
}

export const isSharedAlready = (error: unknown): boolean => isViolation(error, 'unique', 'rbac_policy_once');
