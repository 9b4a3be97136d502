import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { Groups, Users } from '#services/identity/data';
import type { Group } from '#services/identity/domain';
import { extraOf, filtersOf, listReply, type Query } from '../resource.js';
import { Settings } from '../settings.js';
import { GROUP_FIELDS, type GroupCreate, type GroupUpdate, viewGroup } from './group.wire.js';

@Injectable()
export class GroupHandlers {
  constructor(
    private readonly groups: Groups,
    private readonly users: Users,
    private readonly settings: Settings,
  ) {}

  async list(call: Call<undefined, Query>): Promise<Reply> {
    const groups = await this.groups.list(filtersOf(call.query, { name: 'text', domain_id: 'text' }));
    return listReply(
      call,
      'groups',
      groups.map((group) => viewGroup(group, call)),
    );
  }

  async listOfUser(call: Call<undefined, Query>): Promise<Reply> {
    const { id } = await this.users.find(call.params['user_id']!);
    const groups = await this.groups.list(filtersOf(call.query, { name: 'text' }), id);
    return listReply(
      call,
      'groups',
      groups.map((group) => ({ ...viewGroup(group, call), membership_expires_at: null })),
    );
  }

  async show(call: Call<undefined, Query>): Promise<Reply> {
    return { body: { group: viewGroup(await this.groups.find(call.params['group_id']!), call) } };
  }

  async create(call: Call<GroupCreate, Query>): Promise<Reply> {
    const given = call.body.group;
    const { who } = call;
    const group: Group = {
      id: this.settings.ids.hex(),
      name: given.name,
      domainId: given.domain_id ?? who.domainId ?? who.projectDomainId ?? who.userDomainId,
      description: given.description ?? '',
      extra: extraOf(given, GROUP_FIELDS) ?? {},
    };
    await this.groups.create(group);
    return { body: { group: viewGroup(group, call) } };
  }

  async update(call: Call<GroupUpdate, Query>): Promise<Reply> {
    const id = call.params['group_id']!;
    const given = call.body.group;
    const before = await this.groups.find(id);
    if (given.domain_id && given.domain_id !== before.domainId)
      throw fail.invalid('The domain of a group can not be changed.');
    const group = await this.groups.update(id, {
      name: given.name,
      description: given.description === null ? '' : given.description,
      extra: extraOf(given, GROUP_FIELDS),
    });
    return { body: { group: viewGroup(group, call) } };
  }

  async remove(call: Call<undefined, Query>): Promise<Reply> {
    await this.groups.remove(call.params['group_id']!);
    return {};
  }

  async checkMember(call: Call<undefined, Query>): Promise<Reply> {
    const { group_id: groupId = '', user_id: userId = '' } = call.params;
    if (await this.groups.hasMember(groupId, userId)) return {};
    await this.groups.find(groupId);
    throw fail.notFound(`Could not find user ${userId} in group ${groupId}.`);
  }

  async addMember(call: Call<undefined, Query>): Promise<Reply> {
    await this.groups.addMember(call.params['group_id']!, call.params['user_id']!);
    return {};
  }

  async removeMember(call: Call<undefined, Query>): Promise<Reply> {
    await this.groups.removeMember(call.params['group_id']!, call.params['user_id']!);
    return {};
  }
}
