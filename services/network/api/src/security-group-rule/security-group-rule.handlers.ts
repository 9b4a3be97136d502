import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { RULE_FIELDS, type RuleDraft } from '#services/network/data';
import { groupNotFound, invalidInput, ruleNotFound, type SecurityGroupRule, shapeRule } from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf, itemsOf, mayKnow, scopeOf } from '../scope.js';
import { toNumber } from '../values.wire.js';
import { type NewRuleBody, ruleView } from './security-group-rule.wire.js';

@Injectable()
export class SecurityGroupRuleHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<SecurityGroupRule> {
    const id = idOf(call, ruleNotFound);
    const rule = await this.parts.books.rules.find(this.parts.books.db, id);
    if (!rule) throw ruleNotFound(id);
    return rule;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { items, bulk } = itemsOf<NewRuleBody>(call.body, 'security_group_rule', 'security_group_rules');
    if (new Set(items.map((item) => item.security_group_id)).size > 1) {
      throw invalidInput('Only allowed to update rules for one security profile at a time');
    }
    const drafts: RuleDraft[] = [];
    for (const item of items) drafts.push(await this.draft(call, item));
    const made = await this.parts.books.groupStore.addRules(drafts, this.parts.now());
    const shown = made.map(ruleView);
    return { body: bulk ? { security_group_rules: shown } : { security_group_rule: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, RULE_FIELDS);
    const { books } = this.parts;
    if (call.who.projectId !== undefined) await books.groupStore.ensureDefault(call.who.projectId, this.parts.now());
    const page = await books.rules.list(books.db, request, scopeOf(call.who));
    return { body: listBody('security_group_rules', page, request, call, ruleView) };
  }

  show(call: AnyCall, rule: SecurityGroupRule): Reply {
    const { fields } = readList(call.query, RULE_FIELDS);
    return { body: { security_group_rule: pick(ruleView(rule), fields) } };
  }

  async remove(rule: SecurityGroupRule): Promise<Reply> {
    await this.parts.books.groupStore.deleteRule(rule.id, this.parts.now());
    return {};
  }

  private async draft(call: AnyCall, item: NewRuleBody): Promise<RuleDraft> {
    const groupProject = await this.projectOf(call, item.security_group_id);
    const shape = shapeRule({
      direction: item.direction,
      ethertype: item.ethertype,
      protocol: item.protocol,
      portMin: toNumber(item.port_range_min),
      portMax: toNumber(item.port_range_max),
      remotePrefix: item.remote_ip_prefix,
      remoteGroupId: item.remote_group_id,
    });
    if (shape.remoteGroupId !== null) await this.projectOf(call, shape.remoteGroupId);
    const groupId = item.security_group_id.toLowerCase();
    return {
      ...shape,
      id: this.parts.ids.uuid(),
      groupId,
      projectId: groupProject,
      description: item.description ?? '',
    };
  }

  /** The project of a group that the caller may name. */
  private async projectOf(call: AnyCall, groupId: string): Promise<string> {
    const { books } = this.parts;
    const [group] = isUuid(groupId) ? await books.groups.names(books.db, [groupId]) : [];
    if (!group || !mayKnow(call.who, group.projectId)) throw groupNotFound(groupId.slice(0, 100));
    return group.projectId;
  }
}
