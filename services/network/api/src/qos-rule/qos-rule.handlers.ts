import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import {
  checkedQosRule,
  type QosPolicy,
  type QosRule,
  type QosRuleType,
  qosPolicyNotFound,
  qosRuleNotFound,
} from '#services/network/domain';
import { listBody, pick } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { maySeeQos } from '../qos-policy/qos-policy.use.js';
import { type AnyCall, idOf, revisionOf } from '../scope.js';
import { readQosRuleList, siftQosRules } from './qos-rule.list.js';
import { changedQosRule, newQosRule, type QosRuleBody, qosRuleName, qosRuleView } from './qos-rule.wire.js';

/** A rule with its policy, by which it is seen. */
export interface RuleInPolicy extends Target {
  readonly policy: QosPolicy;
  readonly rule: QosRule;
  readonly sharedWith: QosPolicy['sharedWith'];
}
type Path = 'policy' | 'alias';

const inPolicy = (policy: QosPolicy, rule: QosRule): RuleInPolicy => ({
  policy,
  rule,
  projectId: policy.projectId,
  sharedWith: policy.sharedWith,
});

@Injectable()
export class QosRuleHandlers {
  constructor(private readonly parts: NetworkParts) {}

  /** The policy in the path. */
  async policy(call: AnyCall): Promise<QosPolicy> {
    const id = idOf(call, qosPolicyNotFound, 'policy_id');
    const policy = await this.parts.books.qosPolicies.find(this.parts.books.db, id);
    if (!policy || !maySeeQos(call, policy)) throw qosPolicyNotFound(id);
    return policy;
  }

  async load(call: AnyCall, type: QosRuleType, path: Path): Promise<RuleInPolicy> {
    const id = (call.params['id'] ?? '').toLowerCase();
    const policy = path === 'alias' ? await this.policyOf(call, type, id) : await this.policy(call);
    const rule = policy.rules.find((known) => known.id === id && known.type === type);
    if (!rule) throw qosRuleNotFound(id.slice(0, 100), policy.id);
    return inPolicy(policy, rule);
  }

  async create(call: AnyCall, type: QosRuleType): Promise<Reply> {
    const name = qosRuleName(type, 'policy');
    const item = (call.body as Record<string, QosRuleBody>)[name]!;
    const rule = checkedQosRule(newQosRule(type, this.parts.ids.uuid(), item));
    const policy = await this.policy(call);
    await this.parts.books.qosPolicyStore.addRule(policy.id, rule, this.parts.now());
    return { body: { [name]: qosRuleView(rule) } };
  }

  list(call: AnyCall, type: QosRuleType, policy: QosPolicy): Reply {
    const request = readQosRuleList(call.query, type);
    const page = siftQosRules(
      policy.rules.filter((rule) => rule.type === type),
      request,
    );
    return { body: listBody(`${type}_rules`, page, request, call, qosRuleView) };
  }

  show(call: AnyCall, type: QosRuleType, path: Path, { rule }: RuleInPolicy): Reply {
    const { fields } = readQosRuleList(call.query, type);
    return { body: { [qosRuleName(type, path)]: pick(qosRuleView(rule), fields) } };
  }

  async update(call: AnyCall, type: QosRuleType, path: Path, found: RuleInPolicy): Promise<Reply> {
    const name = qosRuleName(type, path);
    const item = (call.body as Record<string, QosRuleBody>)[name]!;
    const after = await this.parts.books.qosPolicyStore.updateRule(
      found.policy.id,
      found.rule.id,
      (rule) => checkedQosRule(changedQosRule(rule, item)),
      this.parts.now(),
      revisionOf(call),
    );
    return { body: { [name]: qosRuleView(after) } };
  }

  async remove(call: AnyCall, { policy, rule }: RuleInPolicy): Promise<Reply> {
    await this.parts.books.qosPolicyStore.deleteRule(policy.id, rule.id, this.parts.now(), revisionOf(call));
    return {};
  }

  private async policyOf(call: AnyCall, type: QosRuleType, ruleId: string): Promise<QosPolicy> {
    const { books } = this.parts;
    const policy = isUuid(ruleId) ? await books.qosPolicies.ofRule(books.db, type, ruleId) : undefined;
    if (!policy || !maySeeQos(call, policy)) throw qosRuleNotFound(ruleId.slice(0, 100));
    return policy;
  }
}
