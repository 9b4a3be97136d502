import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { RBAC_FIELDS, type Sharer } from '#services/network/data';
import {
  badAttribute,
  checkedRbac,
  checkedTarget,
  type RbacPolicy,
  rbacPolicyNotFound,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, demand, idOf, isAdmin, itemsOf, mayKnow, ownerOf, scopeOf } from '../scope.js';
import { type NewRbacPolicyBody, type RbacPolicyChangeBody, rbacPolicyView } from './rbac-policy.wire.js';

@Injectable()
export class RbacPolicyHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<RbacPolicy> {
    const id = idOf(call, rbacPolicyNotFound);
    const policy = await this.parts.books.policies.find(this.parts.books.db, id);
    if (!policy || !mayKnow(call.who, policy.projectId)) throw rbacPolicyNotFound(id);
    return policy;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { items, bulk } = itemsOf<NewRbacPolicyBody>(call.body, 'rbac_policy', 'rbac_policies');
    const drafts = items.map((item) => this.draft(call, item));
    const made = await this.parts.books.policyStore.create(drafts, sharerOf(call), this.parts.now());
    const shown = made.map((policy) => rbacPolicyView(policy, call));
    return { body: bulk ? { rbac_policies: shown } : { rbac_policy: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, RBAC_FIELDS);
    const { books } = this.parts;
    const page = await books.policies.list(books.db, request, scopeOf(call.who));
    return { body: listBody('rbac_policies', page, request, call, (policy) => rbacPolicyView(policy, call)) };
  }

  show(call: AnyCall, policy: RbacPolicy): Reply {
    const { fields } = readList(call.query, RBAC_FIELDS);
    return { body: { rbac_policy: pick(rbacPolicyView(policy, call), fields) } };
  }

  async update(call: AnyCall, policy: RbacPolicy): Promise<Reply> {
    const { rbac_policy: item } = call.body as { rbac_policy: RbacPolicyChangeBody };
    const wanted = item.target_tenant ?? item.target_project;
    if (wanted === undefined) return this.show(call, policy);
    const target = checkedTarget(wanted);
    demand(call, 'update_rbac_policy:target_tenant', { target });
    const { policyStore } = this.parts.books;
    const after = await policyStore.setTarget(policy.id, target, sharerOf(call), this.parts.now());
    return { body: { rbac_policy: rbacPolicyView(after, call) } };
  }

  async remove(policy: RbacPolicy): Promise<Reply> {
    await this.parts.books.policyStore.delete(policy.id, this.parts.now());
    return {};
  }

  private draft(call: AnyCall, item: NewRbacPolicyBody): RbacPolicy {
    const projectId = ownerOf(call, 'create_rbac_policy', item);
    const wanted = item.target_tenant ?? item.target_project;
    if (wanted === undefined) throw badAttribute('target_tenant', 'it is needed.');
    const target = checkedTarget(wanted);
    demand(call, 'create_rbac_policy:target_tenant', { target });
    if (!isUuid(item.object_id)) throw badAttribute('object_id', `'${item.object_id}' is not a valid UUID.`);
    const about = checkedRbac(item.object_type.trim().toLowerCase(), item.action);
    return { id: this.parts.ids.uuid(), projectId, ...about, objectId: item.object_id.toLowerCase(), target };
  }
}

const sharerOf = ({ who }: AnyCall): Sharer => ({ projectId: who.projectId, isAdmin: isAdmin(who) });
