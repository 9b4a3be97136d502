/** What clients do with QoS policies and their rules. A change of rules marks every port that it is about. */
import type { Db, Tx } from '#libs/platform/db';
import {
  fitQosRule,
  type QosPolicy,
  type QosRule,
  qosPolicyInUse,
  qosPolicyNotFound,
  qosRuleNotFound,
  rbacPolicyInUse,
  secondDefaultQos,
} from '#services/network/domain';
import { record } from './journal.js';
import {
  isQosPolicyBound,
  isSecondDefaultQos,
  type NewQosPolicy,
  type QosPolicyChange,
  type QosPolicyRepo,
} from './qos-policy.repo.js';
import { expectRevision } from './revision.js';
import type { Sharing } from './sharing.js';

export interface QosPolicyDraft extends NewQosPolicy {
  /** For everyone to use. */
  readonly shared: boolean;
}

export interface QosPolicyRevision extends QosPolicyChange {
  readonly shared?: boolean | undefined;
}

export class QosPolicyStore {
  constructor(
    private readonly db: Db,
    private readonly policies: QosPolicyRepo,
    private readonly sharing: Sharing,
  ) {}

  /** All of them or none. */
  async create(drafts: readonly QosPolicyDraft[], now: Date): Promise<QosPolicy[]> {
    return this.telling(drafts.find((draft) => draft.isDefault)?.projectId, async (tx) => {
      const made: QosPolicy[] = [];
      for (const { shared, ...policy } of drafts) {
        await this.policies.insert(tx, policy, now);
        if (shared) await this.openToAll(tx, policy, true);
        made.push(await this.found(tx, policy.id));
      }
      await record(
        tx,
        made.map((policy) => ({ resourceId: policy.id, what: 'QoS policy created' })),
        now,
      );
      return made;
    });
  }

  async update(policy: QosPolicy, change: QosPolicyRevision, now: Date, revision?: number): Promise<QosPolicy> {
    const { shared, ...columns } = change;
    const { id } = policy;
    return this.telling(policy.projectId, async (tx) => {
      await expectRevision(tx, 'qos_policy', id, revision);
      if (!(await this.policies.update(tx, id, columns, now))) throw qosPolicyNotFound(id);
      if (shared !== undefined) await this.openToAll(tx, policy, shared);
      await record(tx, [{ resourceId: id, what: 'QoS policy updated' }], now);
      return this.found(tx, id);
    });
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        await expectRevision(tx, 'qos_policy', id, revision);
        const user = await this.policies.user(tx, id);
        if (user) throw qosPolicyInUse(id, user.object, user.id);
        if (!(await this.policies.delete(tx, id))) throw qosPolicyNotFound(id);
        await this.sharing.forget(tx, id);
        await record(tx, [{ resourceId: id, what: 'QoS policy deleted' }], now);
      });
    } catch (error) {
      if (!isQosPolicyBound(error)) throw error;
      const user = await this.policies.user(this.db, id);
      throw qosPolicyInUse(id, user?.object ?? 'port', user?.id ?? 'that was made meanwhile');
    }
  }

  async addRule(policyId: string, rule: QosRule, now: Date): Promise<QosRule> {
    await this.changeRules(policyId, 'rule added', now, async (tx, { rules }) => {
      fitQosRule(policyId, rules, rule);
      await this.policies.insertRule(tx, policyId, rule, now);
    });
    return rule;
  }

  /** `decide` sees the rule as it is under lock, and says what it shall be. */
  async updateRule(
    policyId: string,
    ruleId: string,
    decide: (rule: QosRule) => QosRule,
    now: Date,
    revision?: number,
  ): Promise<QosRule> {
    const change = async (tx: Tx, { rules }: QosPolicy): Promise<QosRule> => {
      const before = rules.find((rule) => rule.id === ruleId);
      if (!before) throw qosRuleNotFound(ruleId, policyId);
      const after = decide(before);
      fitQosRule(
        policyId,
        rules.filter((rule) => rule !== before),
        after,
      );
      await this.policies.updateRule(tx, after);
      return after;
    };
    return this.changeRules(policyId, 'rule updated', now, change, revision);
  }

  async deleteRule(policyId: string, ruleId: string, now: Date, revision?: number): Promise<void> {
    const change = async (tx: Tx): Promise<void> => {
      if (!(await this.policies.deleteRule(tx, ruleId))) throw qosRuleNotFound(ruleId, policyId);
    };
    await this.changeRules(policyId, 'rule deleted', now, change, revision);
  }

  /** Shares the policy with everyone, or no longer, as long as no project uses it by that alone. */
  private async openToAll(tx: Tx, policy: Pick<QosPolicy, 'id' | 'projectId'>, open: boolean): Promise<void> {
    const { id, projectId } = policy;
    await this.sharing.openToAll(tx, { type: 'qos_policy', id, projectId }, 'access_as_shared', open);
    const stranger = open ? undefined : await this.policies.stranger(tx, id);
    if (stranger !== undefined) throw rbacPolicyInUse(id, `project_id=${stranger}`);
  }

  private changeRules<T>(
    policyId: string,
    what: string,
    now: Date,
    change: (tx: Tx, policy: QosPolicy) => Promise<T>,
    revision?: number,
  ): Promise<T> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'qos_policy', policyId, revision);
      const policy = await this.policies.lock(tx, policyId);
      if (!policy) throw qosPolicyNotFound(policyId);
      const result = await change(tx, policy);
      await this.policies.update(tx, policyId, {}, now);
      await this.policies.markUnder(tx, policyId, now);
      await record(tx, [{ resourceId: policyId, what: `QoS ${what}` }], now);
      return result;
    });
  }

  private async found(tx: Tx, id: string): Promise<QosPolicy> {
    const policy = await this.policies.find(tx, id);
    if (!policy) throw qosPolicyNotFound(id);
    return policy;
  }

  private async telling<T>(projectId: string | undefined, body: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      return await this.db.tx(body);
    } catch (error) {
      throw isSecondDefaultQos(error) ? secondDefaultQos(projectId ?? '') : error;
    }
  }
}
