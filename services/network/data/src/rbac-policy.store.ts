/**
 * What clients do with RBAC policies. Each is a change of the object it is about: that object's row is locked, so that
 * policies of one object follow one another, and its revision rises.
 */
import type { Db, Tx } from '#libs/platform/db';
import {
  EVERYONE,
  invalidInput,
  type RbacPolicy,
  rbacPolicyExists,
  rbacPolicyInUse,
  rbacPolicyNotFound,
} from '#services/network/domain';
import { markDirty, record } from './journal.js';
import type { QuotaRepo } from './quota.repo.js';
import { SHARED_OBJECTS } from './rbac-object.js';
import { isSharedAlready, type RbacPolicyRepo } from './rbac-policy.repo.js';

/** Who asks: an administrator may share everything, others what is their own. */
export interface Sharer {
  readonly projectId: string | undefined;
  readonly isAdmin: boolean;
}

type ObjectOf = Pick<RbacPolicy, 'objectType' | 'objectId'>;

export class RbacPolicyStore {
  constructor(
    private readonly db: Db,
    private readonly policies: RbacPolicyRepo,
    private readonly quotas: QuotaRepo,
  ) {}

  /** All of them or none. */
  create(drafts: readonly RbacPolicy[], sharer: Sharer, now: Date): Promise<RbacPolicy[]> {
    return this.db.tx(async (tx) => {
      for (const draft of drafts) {
        await this.lockOwn(tx, draft, sharer);
        if (!(await this.policies.insert(tx, draft))) throw rbacPolicyExists();
        await this.touched(tx, draft, 'shared', now);
      }
      for (const [projectId, own] of Map.groupBy(drafts, (draft) => draft.projectId))
        await this.quotas.take(tx, projectId, 'rbac_policy', own.length);
      return [...drafts];
    });
  }

  async setTarget(id: string, target: string, sharer: Sharer, now: Date): Promise<RbacPolicy> {
    try {
      return await this.db.tx(async (tx) => {
        const before = await this.policies.find(tx, id);
        if (!before) throw rbacPolicyNotFound(id);
        if (before.target === target) return before;
        const owner = await this.lockOwn(tx, before, sharer);
        const after = await this.policies.setTarget(tx, id, target);
        if (!after) throw rbacPolicyNotFound(id);
        await this.refuseUsed(tx, before, owner);
        await this.touched(tx, after, 'sharing changed', now);
        return after;
      });
    } catch (error) {
      throw isSharedAlready(error) ? rbacPolicyExists() : error;
    }
  }

  delete(id: string, now: Date): Promise<void> {
    return this.db.tx(async (tx) => {
      const before = await this.policies.find(tx, id);
      if (!before) throw rbacPolicyNotFound(id);
      const owner = await this.lock(tx, before);
      const gone = await this.policies.delete(tx, id);
      if (!gone) throw rbacPolicyNotFound(id);
      await this.refuseUsed(tx, gone, owner);
      await this.touched(tx, gone, 'sharing ended', now);
      await this.quotas.release(tx, 'rbac_policy', [gone.projectId]);
    });
  }

  /** The object's owner; undefined where it does not exist. */
  private async lock(tx: Tx, { objectType, objectId }: ObjectOf): Promise<string | undefined> {
    const { table } = SHARED_OBJECTS[objectType];
    const row = await tx.one<{ owner: string }>(
      `select project_id as owner from ${table} where id = $1 for no key update`,
      [objectId],
    );
    return row?.owner;
  }

  private async lockOwn(tx: Tx, object: ObjectOf, sharer: Sharer): Promise<string> {
    const owner = await this.lock(tx, object);
    // To somebody who is not its owner, an object that is not there and one that can not be seen are the same.
    if (
      owner === undefined ||
      (owner !== sharer.projectId && !sharer.isAdmin && !(await this.seen(tx, object, sharer)))
    )
      throw invalidInput(`${object.objectType} ${object.objectId} could not be found.`);
    if (owner === sharer.projectId || sharer.isAdmin) return owner;
    throw invalidInput(`Only admins can manipulate policies on ${object.objectType} objects they do not own`);
  }

  private async seen(tx: Tx, { objectId }: ObjectOf, { projectId }: Sharer): Promise<boolean> {
    const row = await tx.one('select 1 from rbac_policy where object_id = $1 and target in ($2, $3) limit 1', [
      objectId,
      projectId ?? '',
      EVERYONE,
    ]);
    return row !== undefined;
  }

  /** Throws where a project that this policy reached uses the object, and nothing else allows it to any more. */
  private async refuseUsed(tx: Tx, gone: RbacPolicy, owner: string | undefined): Promise<void> {
    const users = SHARED_OBJECTS[gone.objectType].users[gone.action];
    if (users === undefined || gone.target === owner) return;
    if (gone.target === EVERYONE && gone.action === 'access_as_external') await this.refuseDefault(tx, gone.objectId);
    const user = await tx.one<{ project_id: string }>(
      `select u.project_id from (${users}) u where u.project_id not in ($2, '') and ($3 = $5 or u.project_id = $3)
         and not exists (select 1 from rbac_policy r where r.object_id = $1 and r.action = $4 and r.target in (u.project_id, $5))
       limit 1`,
      [gone.objectId, owner ?? '', gone.target, gone.action, EVERYONE],
    );
    if (user) throw rbacPolicyInUse(gone.objectId, `project_id=${user.project_id}`);
  }

  private async refuseDefault(tx: Tx, networkId: string): Promise<void> {
    const isDefault = await tx.one('select 1 from network where id = $1 and is_default', [networkId]);
    if (isDefault) throw rbacPolicyInUse(networkId, 'Default external networks must be shared to everyone.');
  }

  /** A network is external as long as it is so for anybody. */
  private async touched(tx: Tx, policy: RbacPolicy, what: string, now: Date): Promise<void> {
    const { objectType, objectId, action } = policy;
    const { table } = SHARED_OBJECTS[objectType];
    await tx.exec(`update ${table} set revision = revision + 1, updated_at = $2 where id = $1`, [objectId, now]);
    if (action === 'access_as_external') {
      const turned = await tx.exec(
        `update network n set external = not external where n.id = $1 and external <> exists (
           select 1 from rbac_policy r where r.object_id = n.id and r.action = 'access_as_external')`,
        [objectId],
      );
      if (turned === 1) await markDirty(tx, 'network', [objectId], now);
    }
    const detail = `${action} for ${policy.target === EVERYONE ? 'everyone' : policy.target}`;
    await record(tx, [{ resourceId: objectId, what: `${objectType} ${what}`, detail, related: [policy.id] }], now);
  }
}
