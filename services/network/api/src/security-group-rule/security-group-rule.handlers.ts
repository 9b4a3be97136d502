import { Injectable } from '@nestjs/common';
import { fail, isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { type GroupName, RULE_FIELDS, type RuleDraft } from '#services/network/data';
import {
  type AddressGroup,
  addressGroupNotFound,
  groupNotFound,
  reaches,
  ruleNotFound,
  type SecurityGroupRule,
  shapeRule,
  type Targets,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, forbidden, idOf, itemsOf, mayKnow, revisionOf, scopeOf } from '../scope.js';
import { ensureDefaultFor } from '../security-group/default-group.js';
import { type NewRuleBody, ruleView, wishOf } from './security-group-rule.wire.js';

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
    if (new Set(items.map((item) => item.security_group_id)).size > 1) throw notOneGroup();
    const drafts = await this.drafts(call, items);
    const made = await this.parts.books.groupStore.addRules(drafts, this.parts.now());
    const shown = made.map(ruleView);
    return { body: bulk ? { security_group_rules: shown } : { security_group_rule: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, RULE_FIELDS);
    const { books } = this.parts;
    await ensureDefaultFor(call, request, this.parts);
    const page = await books.rules.list(books.db, request, scopeOf(call.who));
    return { body: listBody('security_group_rules', page, request, call, ruleView) };
  }

  show(call: AnyCall, rule: SecurityGroupRule): Reply {
    const { fields } = readList(call.query, RULE_FIELDS);
    return { body: { security_group_rule: pick(ruleView(rule), fields) } };
  }

  async remove(call: AnyCall, rule: SecurityGroupRule): Promise<Reply> {
    await this.parts.books.groupStore.deleteRule(rule.id, this.parts.now(), revisionOf(call));
    return {};
  }

  private async drafts(call: AnyCall, items: readonly NewRuleBody[]): Promise<RuleDraft[]> {
    const shaped = items.map((item) => ({ item, shape: shapeRule(wishOf(item)) }));
    const known = await this.namedGroups(
      shaped.flatMap(({ item, shape }) => [item.security_group_id, shape.remoteGroupId]),
    );
    const addressGroups = await this.namedAddressGroups(shaped.map(({ shape }) => shape.remoteAddressGroupId));
    return shaped.map(({ item, shape }) => {
      const group = visible(call, known, item.security_group_id, groupNotFound);
      // Who may only use a shared group may not change what it lets through.
      if (!mayKnow(call.who, group.projectId)) throw forbidden('create_security_group_rule');
      if (shape.remoteGroupId !== null) visible(call, known, shape.remoteGroupId, groupNotFound);
      if (shape.remoteAddressGroupId !== null)
        visible(call, addressGroups, shape.remoteAddressGroupId, addressGroupNotFound);
      return {
        ...shape,
        remoteGroupId: shape.remoteGroupId?.toLowerCase() ?? null,
        remoteAddressGroupId: shape.remoteAddressGroupId?.toLowerCase() ?? null,
        id: this.parts.ids.uuid(),
        groupId: group.id,
        projectId: group.projectId,
        description: item.description ?? '',
        ofDefaultGroup: group.isDefault,
      };
    });
  }

  private async namedGroups(ids: readonly (string | null)[]): Promise<Map<string, GroupName>> {
    const { books } = this.parts;
    const found = await books.groups.names(books.db, idsAmong(ids));
    return new Map(found.map((group) => [group.id, group]));
  }

  private async namedAddressGroups(ids: readonly (string | null)[]): Promise<Map<string, AddressGroup>> {
    const { books } = this.parts;
    const found = await books.addressGroups.findMany(books.db, idsAmong(ids));
    return new Map(found.map((group) => [group.id, group]));
  }
}

const notOneGroup = (): Error =>
  fail.invalid('Only allowed to update rules for one security profile at a time', {
    type: 'SecurityGroupNotSingleGroupRules',
  });

const idsAmong = (ids: readonly (string | null)[]): string[] => [
  ...new Set(ids.flatMap((id) => (id !== null && isUuid(id) ? [id.toLowerCase()] : []))),
];

/** What the caller may name of what was found. */
function visible<T extends { readonly projectId: string; readonly sharedWith: Targets }>(
  call: AnyCall,
  found: ReadonlyMap<string, T>,
  id: string,
  missing: (id: string) => Error,
): T {
  const row = found.get(id.toLowerCase());
  if (!row || !(mayKnow(call.who, row.projectId) || reaches(row.sharedWith, call.who.projectId)))
    throw missing(id.slice(0, 100));
  return row;
}
