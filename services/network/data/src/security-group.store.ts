/** What clients do with security groups and rules, each as one transaction. */
import type { Db, Tx } from '#libs/platform/db';
import {
  groupInUse,
  groupNotFound,
  initialRules,
  type RuleShape,
  ruleExists,
  ruleNotFound,
  type SecurityGroup,
  type SecurityGroupRule,
} from '#services/network/domain';
import { markDirty, record } from './journal.js';
import type { QuotaRepo } from './quota.repo.js';
import { expectRevision } from './revision.js';
import {
  type GroupChange,
  isGroupStillUsed,
  isRemoteGroupGone,
  type NewGroup,
  type SecurityGroupRepo,
} from './security-group.repo.js';
import type { SecurityGroupRuleRepo } from './security-group-rule.repo.js';

export interface RuleDraft extends RuleShape {
  readonly id: string;
  readonly groupId: string;
  readonly projectId: string;
  readonly description: string;
}

export class SecurityGroupStore {
  constructor(
    private readonly db: Db,
    private readonly groups: SecurityGroupRepo,
    private readonly rules: SecurityGroupRuleRepo,
    private readonly quotas: QuotaRepo,
    private readonly newId: () => string,
  ) {}

  /** The project's default group; made now where it has none, whatever the quota says. */
  async ensureDefault(projectId: string, now: Date): Promise<string> {
    const known = await this.groups.defaultOf(this.db, projectId);
    if (known !== undefined) return known;
    await this.db.tx((tx) => this.createDefault(tx, projectId, now));
    return (await this.groups.defaultOf(this.db, projectId)) ?? '';
  }

  async create(group: Omit<NewGroup, 'isDefault'>, now: Date): Promise<SecurityGroup> {
    return this.db.tx(async (tx) => {
      await this.insertWithRules(tx, { ...group, isDefault: false }, now);
      await this.quotas.take(tx, group.projectId, 'security_group', 1);
      await this.quotas.take(tx, group.projectId, 'security_group_rule', initialRules(group.id, false).length);
      return (await this.groups.find(tx, group.id))!;
    });
  }

  update(id: string, change: GroupChange, now: Date, revision?: number): Promise<SecurityGroup> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'security_group', id, revision);
      if (change.stateful !== undefined) {
        const before = await this.groups.find(tx, id);
        if (before && before.stateful !== change.stateful && (await this.groups.isUsed(tx, id))) throw groupInUse(id);
      }
      if (!(await this.groups.update(tx, id, change, now))) throw groupNotFound(id);
      await markDirty(tx, 'security_group', [id], now);
      await record(tx, [{ resourceId: id, what: 'security group updated' }], now);
      return (await this.groups.find(tx, id))!;
    });
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        await expectRevision(tx, 'security_group', id, revision);
        const group = await this.groups.find(tx, id);
        if (!group) throw groupNotFound(id);
        const { rulesOf, otherGroups } = await this.groups.delete(tx, id);
        await this.groups.touch(tx, otherGroups, now);
        await markDirty(tx, 'security_group', [id, ...otherGroups].sort(), now);
        await record(tx, [{ resourceId: id, what: 'security group deleted', related: otherGroups }], now);
        await this.quotas.release(tx, 'security_group', [group.projectId]);
        await this.quotas.release(tx, 'security_group_rule', rulesOf);
      });
    } catch (error) {
      throw isGroupStillUsed(error) ? groupInUse(id) : error;
    }
  }

  /** All of them or none. */
  async addRules(drafts: readonly RuleDraft[], now: Date): Promise<SecurityGroupRule[]> {
    try {
      return await this.db.tx(async (tx) => {
        for (const draft of drafts) await this.addRule(tx, draft, now);
        const groups = [...new Set(drafts.map((draft) => draft.groupId))].sort();
        await this.groups.touch(tx, groups, now);
        await markDirty(tx, 'security_group', groups, now);
        for (const [projectId, own] of Map.groupBy(drafts, (draft) => draft.projectId)) {
          await this.quotas.take(tx, projectId, 'security_group_rule', own.length);
        }
        return drafts.map((draft) => ({ ...draft, tags: [], revision: 1, createdAt: now, updatedAt: now }));
      });
    } catch (error) {
      const [first] = drafts;
      throw isRemoteGroupGone(error) && first ? groupNotFound(first.remoteGroupId ?? first.groupId) : error;
    }
  }

  deleteRule(id: string, now: Date): Promise<void> {
    return this.db.tx(async (tx) => {
      const gone = await this.rules.delete(tx, id);
      if (!gone) throw ruleNotFound(id);
      await this.groups.touch(tx, [gone.groupId], now);
      await markDirty(tx, 'security_group', [gone.groupId], now);
      await record(tx, [{ resourceId: gone.groupId, what: 'rule deleted', related: [id] }], now);
      await this.quotas.release(tx, 'security_group_rule', [gone.projectId]);
    });
  }

  private async addRule(tx: Tx, draft: RuleDraft, now: Date): Promise<void> {
    if (await this.groups.insertRule(tx, draft.groupId, draft.projectId, draft, now)) {
      await record(tx, [{ resourceId: draft.groupId, what: 'rule created', related: [draft.id] }], now);
      return;
    }
    throw ruleExists((await this.rules.findSame(tx, draft.groupId, draft)) ?? 'unknown');
  }

  private async createDefault(tx: Tx, projectId: string, now: Date): Promise<void> {
    const group = {
      id: this.newId(),
      projectId,
      name: 'default',
      description: 'Default security group',
      stateful: true,
      isDefault: true,
    };
    if (!(await this.insertWithRules(tx, group, now))) return;
    await this.quotas.count(tx, projectId, 'security_group', 1);
    await this.quotas.count(tx, projectId, 'security_group_rule', initialRules(group.id, true).length);
  }

  private async insertWithRules(tx: Tx, group: NewGroup, now: Date): Promise<boolean> {
    const rules = initialRules(group.id, group.isDefault).map((rule) => ({
      ...rule,
      id: this.newId(),
      description: '',
    }));
    if (!(await this.groups.insert(tx, group, rules, now))) return false;
    await markDirty(tx, 'security_group', [group.id], now);
    await record(tx, [{ resourceId: group.id, what: 'security group created' }], now);
    return true;
  }
}
