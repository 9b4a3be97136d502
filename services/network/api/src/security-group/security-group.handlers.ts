import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { GROUP_FIELDS, type GroupChange, type GroupDraft } from '#services/network/data';
import {
  groupNotFound,
  noDefaultRemoval,
  noDefaultUpdate,
  reaches,
  type SecurityGroup,
  secondDefault,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf, isAdmin, itemsOf, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import { ensureDefaultFor } from './default-group.js';
import { type GroupChangeBody, groupView, type NewGroupBody } from './security-group.wire.js';

@Injectable()
export class SecurityGroupHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<SecurityGroup> {
    const id = idOf(call, groupNotFound);
    const group = await this.parts.books.groups.find(this.parts.books.db, id);
    if (!group || !(reaches(group.sharedWith, call.who.projectId) || mayKnow(call.who, group.projectId)))
      throw groupNotFound(id);
    return group;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { items, bulk } = itemsOf<NewGroupBody>(call.body, 'security_group', 'security_groups');
    const { books, ids } = this.parts;
    const drafts: GroupDraft[] = [];
    for (const item of items) {
      const projectId = ownerOf(call, 'create_security_group', item);
      const name = notDefault(item.name ?? '');
      const stateful = isOn(item.stateful) ?? (await books.defaultStatefulness.of(books.db, projectId));
      drafts.push({ id: ids.uuid(), projectId, name, description: item.description ?? '', stateful });
    }
    const now = this.parts.now();
    for (const projectId of new Set(drafts.map((draft) => draft.projectId)))
      await books.groupStore.ensureDefault(projectId, now);
    const made = await books.groupStore.create(drafts, now);
    const shown = made.map((group) => groupView(group, call.who));
    return { body: bulk ? { security_groups: shown } : { security_group: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, GROUP_FIELDS);
    const { books } = this.parts;
    await ensureDefaultFor(call, request, this.parts);
    const page = await books.groups.list(books.db, request, scopeOf(call.who), call.who.projectId);
    return { body: listBody('security_groups', page, request, call, (group) => groupView(group, call.who)) };
  }

  show(call: AnyCall, group: SecurityGroup): Reply {
    const { fields } = readList(call.query, GROUP_FIELDS);
    return { body: { security_group: pick(groupView(group, call.who), fields) } };
  }

  async update(call: AnyCall, group: SecurityGroup): Promise<Reply> {
    const { security_group: item } = call.body as { security_group: GroupChangeBody };
    if (group.isDefault && item.name !== undefined && item.name !== group.name) throw noDefaultUpdate();
    const change: GroupChange = {
      ...(item.name === undefined || group.isDefault ? {} : { name: notDefault(item.name) }),
      ...(item.description === undefined ? {} : { description: item.description }),
      ...(item.stateful === undefined ? {} : { stateful: isOn(item.stateful) ?? group.stateful }),
    };
    const after = await this.parts.books.groupStore.update(group.id, change, this.parts.now(), revisionOf(call));
    return { body: { security_group: groupView(after, call.who) } };
  }

  async remove(call: AnyCall, group: SecurityGroup): Promise<Reply> {
    if (group.isDefault && !isAdmin(call.who)) throw noDefaultRemoval();
    await this.parts.books.groupStore.delete(group.id, this.parts.now(), revisionOf(call));
    return {};
  }
}

/** The name, unless it is that of the group which every project has anyway. */
function notDefault(name: string): string {
  if (name.toLowerCase() === 'default') throw secondDefault();
  return name;
}
