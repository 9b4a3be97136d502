import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { GROUP_FIELDS, type GroupChange } from '#services/network/data';
import {
  groupNotFound,
  noDefaultRemoval,
  noDefaultUpdate,
  type SecurityGroup,
  secondDefault,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf, isAdmin, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import { type GroupChangeBody, groupView, type NewGroupBody } from './security-group.wire.js';

@Injectable()
export class SecurityGroupHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<SecurityGroup> {
    const id = idOf(call, groupNotFound);
    const group = await this.parts.books.groups.find(this.parts.books.db, id);
    if (!group || !mayKnow(call.who, group.projectId)) throw groupNotFound(id);
    return group;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { security_group: item } = call.body as { security_group: NewGroupBody };
    const { books, ids } = this.parts;
    const projectId = ownerOf(call, 'create_security_group', item);
    const name = item.name ?? '';
    if (name === 'default') throw secondDefault();
    const now = this.parts.now();
    await books.groupStore.ensureDefault(projectId, now);
    const description = item.description ?? '';
    const group = await books.groupStore.create(
      { id: ids.uuid(), projectId, name, description, stateful: isOn(item.stateful) ?? true },
      now,
    );
    return { body: { security_group: groupView(group) } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, GROUP_FIELDS);
    const { books } = this.parts;
    if (call.who.projectId !== undefined) await books.groupStore.ensureDefault(call.who.projectId, this.parts.now());
    const page = await books.groups.list(books.db, request, scopeOf(call.who));
    return { body: listBody('security_groups', page, request, call, groupView) };
  }

  show(call: AnyCall, group: SecurityGroup): Reply {
    const { fields } = readList(call.query, GROUP_FIELDS);
    return { body: { security_group: pick(groupView(group), fields) } };
  }

  async update(call: AnyCall, group: SecurityGroup): Promise<Reply> {
    const { security_group: item } = call.body as { security_group: GroupChangeBody };
    if (group.isDefault && item.name !== undefined && item.name !== group.name) throw noDefaultUpdate();
    if (!group.isDefault && item.name === 'default') throw secondDefault();
    const change: GroupChange = {
      ...(item.name === undefined ? {} : { name: item.name }),
      ...(item.description === undefined ? {} : { description: item.description }),
      ...(item.stateful === undefined ? {} : { stateful: isOn(item.stateful) ?? group.stateful }),
    };
    const after = await this.parts.books.groupStore.update(group.id, change, this.parts.now(), revisionOf(call));
    return { body: { security_group: groupView(after) } };
  }

  async remove(call: AnyCall, group: SecurityGroup): Promise<Reply> {
    if (group.isDefault && !isAdmin(call.who)) throw noDefaultRemoval();
    await this.parts.books.groupStore.delete(group.id, this.parts.now(), revisionOf(call));
    return {};
  }
}
