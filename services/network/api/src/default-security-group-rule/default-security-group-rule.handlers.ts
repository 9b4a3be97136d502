import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { DEFAULT_RULE_FIELDS, type DefaultRuleDraft } from '#services/network/data';
import {
  addressGroupNotFound,
  type DefaultSecurityGroupRule,
  defaultRuleNotFound,
  groupNotFound,
  PARENT,
  shapeRule,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf, revisionOf } from '../scope.js';
import { wishOf } from '../security-group-rule/security-group-rule.wire.js';
import { isOn } from '../values.wire.js';
import { defaultRuleView, type NewDefaultRuleBody } from './default-security-group-rule.wire.js';

@Injectable()
export class DefaultSecurityGroupRuleHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<DefaultSecurityGroupRule> {
    const id = idOf(call, defaultRuleNotFound);
    const rule = await this.parts.books.defaultRules.find(this.parts.books.db, id);
    if (!rule) throw defaultRuleNotFound(id);
    return rule;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { default_security_group_rule: item } = call.body as { default_security_group_rule: NewDefaultRuleBody };
    const shape = shapeRule(wishOf(item));
    const { remoteGroupId, remoteAddressGroupId } = shape;
    if (remoteGroupId !== null && remoteGroupId !== PARENT && !isUuid(remoteGroupId))
      throw groupNotFound(remoteGroupId);
    if (remoteAddressGroupId !== null && !isUuid(remoteAddressGroupId))
      throw addressGroupNotFound(remoteAddressGroupId);
    const draft: DefaultRuleDraft = {
      ...shape,
      id: this.parts.ids.uuid(),
      description: item.description ?? '',
      inDefault: isOn(item.used_in_default_sg) ?? false,
      inOthers: isOn(item.used_in_non_default_sg) ?? true,
    };
    const made = await this.parts.books.defaultRuleStore.create(draft, this.parts.now());
    return { body: { default_security_group_rule: defaultRuleView(made) } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, DEFAULT_RULE_FIELDS);
    const { books } = this.parts;
    const page = await books.defaultRules.list(books.db, request);
    return { body: listBody('default_security_group_rules', page, request, call, defaultRuleView) };
  }

  show(call: AnyCall, rule: DefaultSecurityGroupRule): Reply {
    const { fields } = readList(call.query, DEFAULT_RULE_FIELDS);
    return { body: { default_security_group_rule: pick(defaultRuleView(rule), fields) } };
  }

  async remove(call: AnyCall, rule: DefaultSecurityGroupRule): Promise<Reply> {
    await this.parts.books.defaultRuleStore.delete(rule.id, this.parts.now(), revisionOf(call));
    return {};
  }
}
