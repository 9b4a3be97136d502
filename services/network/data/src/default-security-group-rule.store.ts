/** What operators do with the templates of new groups' rules, each as one transaction. */
import type { Db } from '#libs/platform/db';
import {
  type DefaultSecurityGroupRule,
  defaultRuleExists,
  defaultRuleNotFound,
  ruleKey,
} from '#services/network/domain';
import {
  type DefaultRuleDraft,
  type DefaultSecurityGroupRuleRepo,
  defaultRuleWriteFailure,
} from './default-security-group-rule.repo.js';
import { record } from './journal.js';
import { expectRevision } from './revision.js';

export class DefaultSecurityGroupRuleStore {
  constructor(
    private readonly db: Db,
    private readonly rules: DefaultSecurityGroupRuleRepo,
  ) {}

  async create(draft: DefaultRuleDraft, now: Date): Promise<DefaultSecurityGroupRule> {
    try {
      return await this.db.tx(async (tx) => {
        if (!(await this.rules.insert(tx, draft, now))) {
          const same = (await this.rules.all(tx)).find(
            (known) => sameUse(known, draft) && ruleKey(known) === ruleKey(draft),
          );
          throw defaultRuleExists(same?.id ?? '');
        }
        await record(tx, [{ resourceId: draft.id, what: 'default rule created' }], now);
        return { ...draft, tags: [], revision: 1, createdAt: now, updatedAt: now };
      });
    } catch (error) {
      throw defaultRuleWriteFailure(error, draft);
    }
  }

  delete(id: string, now: Date, revision?: number): Promise<void> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'default_security_group_rule', id, revision);
      if (!(await this.rules.delete(tx, id))) throw defaultRuleNotFound(id);
      await record(tx, [{ resourceId: id, what: 'default rule deleted' }], now);
    });
  }
}

const sameUse = (a: DefaultRuleDraft, b: DefaultRuleDraft): boolean =>
  (a.inDefault && b.inDefault) || (a.inOthers && b.inOthers);
