/**
 * What clients do with security groups and rules, each as one transaction. All of them lock in one order: rules, groups,
 * marks, quotas; so calls on groups whose rules name each other wait for each other and never fail each other.
 */
import type { Db, Tx } from '#libs/platform/db';
import {
  groupInUse,
  groupNotFound,
  ruleExists,
  ruleKey,
  ruleNotFound,
  rulesFrom,
  ruleTwiceInPost,
  type SecurityGroup,
  type SecurityGroupRule,
} from '#services/network/domain';
import type { DefaultSecurityGroupRuleRepo } from './default-security-group-rule.repo.js';
import { markAndRecord, type NetworkEvent } from './journal.js';
import type { QuotaRepo } from './quota.repo.js';
import { expectRevision } from './revision.js';
import { type GroupChange, isGroupStillUsed, type NewGroup, type SecurityGroupRepo } from './security-group.repo.js';
import { type RuleDraft, ruleWriteFailure, type SecurityGroupRuleRepo } from './security-group-rule.repo.js';
import { ServerNewsRepo } from './server-news.repo.js';
import type { Sharing } from './sharing.js';

export type GroupDraft = Omit<NewGroup, 'isDefault'>;

const INSERT_TRIES = 5;

export class SecurityGroupStore {
  private readonly serverNews = new ServerNewsRepo();

  constructor(
    private readonly db: Db,
    private readonly groups: SecurityGroupRepo,
    private readonly rules: SecurityGroupRuleRepo,
    private readonly templates: DefaultSecurityGroupRuleRepo,
    private readonly sharing: Sharing,
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

  /** All of them or none. */
  create(drafts: readonly GroupDraft[], now: Date): Promise<SecurityGroup[]> {
    return this.db.tx(async (tx) => {
      const ruleCounts = new Map<string, number>();
      for (const draft of drafts) {
        const count = (await this.insertWithRules(tx, { ...draft, isDefault: false }, now)) ?? 0;
        ruleCounts.set(draft.projectId, (ruleCounts.get(draft.projectId) ?? 0) + count);
      }
      for (const [projectId, own] of Map.groupBy(drafts, (draft) => draft.projectId)) {
        await this.quotas.take(tx, projectId, 'security_group', own.length);
        const rules = ruleCounts.get(projectId) ?? 0;
        if (rules > 0) await this.quotas.take(tx, projectId, 'security_group_rule', rules);
      }
      const ids = drafts.map((draft) => draft.id);
      const made = new Map((await this.groups.findMany(tx, ids)).map((group) => [group.id, group]));
      return ids.map((id) => made.get(id)!);
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
      await mark(tx, [id], [{ resourceId: id, what: 'security group updated' }], now);
      if (change.name !== undefined) await this.serverNews.tellOfGroup(tx, id, now);
      return (await this.groups.find(tx, id))!;
    });
  }

  async delete(id: string, now: Date, revision?: number): Promise<void> {
    try {
      await this.db.tx((tx) => this.deleteIn(tx, id, now, revision));
    } catch (error) {
      throw isGroupStillUsed(error) ? groupInUse(id) : error;
    }
  }

  /** All of them or none. */
  async addRules(drafts: readonly RuleDraft[], now: Date): Promise<SecurityGroupRule[]> {
    const keys = drafts.map((draft) => `${draft.groupId} ${ruleKey(draft)}`);
    if (new Set(keys).size < keys.length) throw ruleTwiceInPost();
    try {
      return await this.db.tx(async (tx) => {
        await this.insertRules(tx, drafts, now);
        const groups = [...new Set(drafts.map((draft) => draft.groupId))].sort();
        await this.groups.touch(tx, groups, now);
        const events = drafts.map((draft) => ({
          resourceId: draft.groupId,
          what: 'rule created',
          related: [draft.id],
        }));
        await mark(tx, groups, events, now);
        for (const [projectId, own] of Map.groupBy(drafts, (draft) => draft.projectId)) {
          await this.quotas.take(tx, projectId, 'security_group_rule', own.length);
        }
        return drafts.map((draft) => ({ ...draft, tags: [], revision: 1, createdAt: now, updatedAt: now }));
      });
    } catch (error) {
      throw ruleWriteFailure(error, drafts[0]);
    }
  }

  deleteRule(id: string, now: Date, revision?: number): Promise<void> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'security_group_rule', id, revision);
      const gone = await this.rules.delete(tx, id);
      if (!gone) throw ruleNotFound(id);
      await this.groups.touch(tx, [gone.groupId], now);
      await mark(tx, [gone.groupId], [{ resourceId: gone.groupId, what: 'rule deleted', related: [id] }], now);
      await this.quotas.release(tx, 'security_group_rule', [gone.projectId]);
    });
  }

  private async deleteIn(tx: Tx, id: string, now: Date, revision: number | undefined): Promise<void> {
    const [group] = await this.groups.names(tx, [id]);
    if (!group) throw groupNotFound(id);
    await expectRevision(tx, 'security_group', id, revision);
    const { rulesOf, otherGroups } = await this.groups.delete(tx, id);
    await this.groups.touch(tx, otherGroups, now);
    const event = { resourceId: id, what: 'security group deleted', related: otherGroups };
    await mark(tx, [id, ...otherGroups].sort(), [event], now);
    await this.sharing.forget(tx, id);
    await this.quotas.release(tx, 'security_group', [group.projectId]);
    await this.quotas.release(tx, 'security_group_rule', rulesOf);
  }

  /** A rule that is there already is named; one that goes while it is looked for leaves room for the new one. */
  private async insertRules(tx: Tx, drafts: readonly RuleDraft[], now: Date): Promise<void> {
    // In one order, so that two calls that bring the same rules wait for each other instead of both for the other.
    let missing: readonly RuleDraft[] = [...drafts].sort((a, b) => (ruleKey(a) < ruleKey(b) ? -1 : 1));
    for (let tries = 0; tries < INSERT_TRIES && missing.length > 0; tries++) {
      const made = await this.rules.insert(tx, missing, now);
      missing = missing.filter((draft) => !made.has(draft.id));
      for (const draft of missing) {
        const same = await this.rules.findSame(tx, draft.groupId, draft);
        if (same !== undefined) throw ruleExists(same);
      }
    }
    if (missing[0]) throw ruleExists('unknown');
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
    const rules = await this.insertWithRules(tx, group, now);
    if (rules === undefined) return;
    await this.quotas.count(tx, projectId, 'security_group', 1);
    await this.quotas.count(tx, projectId, 'security_group_rule', rules);
  }

  /** Gives the number of rules that the group begins with; undefined where it is a second default group. */
  private async insertWithRules(tx: Tx, group: NewGroup, now: Date): Promise<number | undefined> {
    const { id: groupId, projectId, isDefault: ofDefaultGroup } = group;
    const shapes = rulesFrom(await this.templates.all(tx), group);
    if (!(await this.groups.insert(tx, group, now))) return undefined;
    const about = { groupId, projectId, ofDefaultGroup, description: '' };
    await this.rules.insert(
      tx,
      shapes.map((shape) => ({ ...shape, ...about, id: this.newId() })),
      now,
    );
    await mark(tx, [groupId], [{ resourceId: groupId, what: 'security group created' }], now);
    return shapes.length;
  }
}

const mark = (tx: Tx, ids: readonly string[], events: readonly NetworkEvent[], now: Date): Promise<void> =>
  markAndRecord(tx, 'security_group', ids, events, now);
