/** Sharing images with other projects. */
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { MemberRepo } from '#services/image/data';
import { checkShareable, readMemberStatus, readNewMember } from '#services/image/domain';
import { type AnyCall, ImageHandlers, type ImageTarget } from '../image/image.handlers.js';
import { memberBody } from './member.wire.js';

@Injectable()
export class MemberHandlers {
  constructor(
    private readonly images: ImageHandlers,
    private readonly members: MemberRepo,
  ) {}

  find(call: AnyCall): Promise<ImageTarget> {
    return this.images.find(call);
  }

  /** For the rows of one member: policy asks whether the caller is that member. */
  async findWithMember(call: AnyCall): Promise<ImageTarget> {
    return { ...(await this.find(call)), memberId: call.params['member'] };
  }

  async create(call: AnyCall, image: ImageTarget): Promise<Reply> {
    const member = readNewMember(call.body);
    checkShareable(image);
    return { body: memberBody(await this.members.add(image.id, member)) };
  }

  /** A member sees its own entry, the owner all of them. */
  async list(call: AnyCall, image: ImageTarget): Promise<Reply> {
    const every = call.may('context_is_admin') || image.owner === call.who.projectId;
    const members = await this.members.list(image.id, every ? undefined : call.who.projectId);
    return { body: { members: members.map(memberBody), schema: '/v2/schemas/members' } };
  }

  async show(call: AnyCall, image: ImageTarget): Promise<Reply> {
    return { body: memberBody(await this.members.get(image.id, call.params['member'] ?? '')) };
  }

  async update(call: AnyCall, image: ImageTarget): Promise<Reply> {
    const status = readMemberStatus(call.body);
    checkShareable(image);
    return { body: memberBody(await this.members.setStatus(image.id, call.params['member'] ?? '', status)) };
  }

  async delete(call: AnyCall, image: ImageTarget): Promise<Reply> {
    const member = call.params['member'];
    if (!member) throw fail.notFound('No such member.');
    await this.members.remove(image.id, member);
    return {};
  }
}
