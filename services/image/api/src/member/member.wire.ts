import { isoSeconds } from '#libs/wire';
import type { Member } from '#services/image/domain';

export const memberBody = (member: Member): Record<string, unknown> => ({
  member_id: member.memberId,
  image_id: member.imageId,
  status: member.status,
  created_at: isoSeconds(member.createdAt),
  updated_at: isoSeconds(member.updatedAt),
  schema: '/v2/schemas/member',
});
