/** Opening something for everyone, as its own flag does it: an RBAC policy that its owner is charged for. */
import type { Tx } from '#libs/platform/db';
import { EVERYONE, type RbacAction, type RbacObject } from '#services/network/domain';
import type { QuotaRepo } from './quota.repo.js';
import type { RbacPolicyRepo } from './rbac-policy.repo.js';

export interface Shareable {
  readonly type: RbacObject;
  readonly id: string;
  readonly projectId: string;
}

export class Sharing {
  constructor(
    private readonly policies: RbacPolicyRepo,
    private readonly quotas: QuotaRepo,
    private readonly newId: () => string,
  ) {}

  /** Says, or takes back, that everyone may do this with the object. Its owner is charged whatever the quota says. */
  async openToAll(tx: Tx, object: Shareable, action: RbacAction, open: boolean): Promise<void> {
    const { type: objectType, id: objectId, projectId } = object;
    if (!open) return this.release(tx, await this.policies.closeToAll(tx, objectId, action));
    const policy = { id: this.newId(), projectId, objectType, objectId, action, target: EVERYONE } as const;
    if (await this.policies.insert(tx, policy)) await this.quotas.count(tx, projectId, 'rbac_policy', 1);
  }

  /** Takes away all that was said of an object that is going. */
  async forget(tx: Tx, objectId: string): Promise<void> {
    await this.release(tx, await this.policies.forget(tx, objectId));
  }

  private release(tx: Tx, gone: readonly { readonly projectId: string }[]): Promise<void> {
    return this.quotas.release(
      tx,
      'rbac_policy',
      gone.map((policy) => policy.projectId),
    );
  }
}
