import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { QOS_POLICY_FIELDS } from '#services/network/data';
import { type QosPolicy, qosPolicyNotFound } from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf, itemsOf, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import { maySeeQos } from './qos-policy.use.js';
import { type NewQosPolicyBody, type QosPolicyChangeBody, qosPolicyView } from './qos-policy.wire.js';

@Injectable()
export class QosPolicyHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<QosPolicy> {
    const id = idOf(call, qosPolicyNotFound);
    const policy = await this.parts.books.qosPolicies.find(this.parts.books.db, id);
    if (!policy || !maySeeQos(call, policy)) throw qosPolicyNotFound(id);
    return policy;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { items, bulk } = itemsOf<NewQosPolicyBody>(call.body, 'policy', 'policies');
    const drafts = items.map((item) => ({
      id: this.parts.ids.uuid(),
      projectId: ownerOf(call, 'create_policy', item),
      name: item.name ?? '',
      description: item.description ?? '',
      isDefault: isOn(item.is_default) ?? false,
      shared: isOn(item.shared) ?? false,
    }));
    const made = await this.parts.books.qosPolicyStore.create(drafts, this.parts.now());
    const shown = made.map((policy) => qosPolicyView(policy, call));
    return { body: bulk ? { policies: shown } : { policy: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, QOS_POLICY_FIELDS);
    const { books } = this.parts;
    const page = await books.qosPolicies.list(books.db, request, scopeOf(call.who));
    return { body: listBody('policies', page, request, call, (policy) => qosPolicyView(policy, call)) };
  }

  show(call: AnyCall, policy: QosPolicy): Reply {
    const { fields } = readList(call.query, QOS_POLICY_FIELDS);
    return { body: { policy: pick(qosPolicyView(policy, call), fields) } };
  }

  async update(call: AnyCall, policy: QosPolicy): Promise<Reply> {
    const { policy: item } = call.body as { policy: QosPolicyChangeBody };
    const change = {
      name: item.name,
      description: item.description,
      isDefault: isOn(item.is_default),
      shared: isOn(item.shared),
    };
    const { qosPolicyStore } = this.parts.books;
    const after = await qosPolicyStore.update(policy, change, this.parts.now(), revisionOf(call));
    return { body: { policy: qosPolicyView(after, call) } };
  }

  async remove(call: AnyCall, policy: QosPolicy): Promise<Reply> {
    await this.parts.books.qosPolicyStore.delete(policy.id, this.parts.now(), revisionOf(call));
    return {};
  }
}
