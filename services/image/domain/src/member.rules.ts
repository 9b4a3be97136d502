/** Sharing an image with other projects: the owner offers, the other project accepts or rejects. */
import { fail } from '#libs/kernel';
import { type Image, MEMBER_STATUSES, type MemberStatus } from './image.js';

export const MAX_MEMBERS = 128;

/** The project that a body `{"member": "..."}` names. */
export function readNewMember(body: unknown): string {
  const member = (body as { member?: unknown } | null)?.member;
  if (typeof member !== 'string' || !member || member.length > 255 || member.includes('\0'))
    throw fail.invalid("The body must be an object with the attribute 'member', the id of a project.");
  return member;
}

/** The status that a body `{"status": "..."}` asks for. */
export function readMemberStatus(body: unknown): MemberStatus {
  const status = (body as { status?: unknown } | null)?.status;
  const known = MEMBER_STATUSES.find((candidate) => candidate === status);
  if (!known) throw fail.invalid(`The status of a member must be one of ${MEMBER_STATUSES.join(', ')}.`);
  return known;
}

export function checkShareable(image: Pick<Image, 'visibility'>): void {
  if (image.visibility !== 'shared') throw fail.forbidden('Only shared images have members.');
}

export function checkMemberCount(existing: number): void {
  if (existing >= MAX_MEMBERS)
    throw fail.tooLarge(
      `The limit has been exceeded on the number of allowed image members for this image. Maximum: ${MAX_MEMBERS}`,
    );
}
