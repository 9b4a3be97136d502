/** The projects that an image is shared with. */
import { type Clock, fail } from '#libs/kernel';
import { type Db, isUnique } from '#libs/platform/db';
import { checkMemberCount, type Member, type MemberStatus } from '#services/image/domain';
import { tell } from './image-event.sql.js';

const COLUMNS = `image_id as "imageId", member_id as "memberId", status, created_at as "createdAt", updated_at as "updatedAt"`;

const noSuchMember = (imageId: string, memberId: string) =>
  fail.notFound(`${memberId} not found in the member list of the image ${imageId}.`);

export class MemberRepo {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  /** Offers the image to a project. Throws `conflict` when it was offered before, `tooLarge` beyond the limit. */
  async add(imageId: string, memberId: string): Promise<Member> {
    const at = this.clock.now();
    try {
      return await this.db.tx(async (tx) => {
        const image = await tx.one(`select 1 from image where id = $1 and status <> 'deleted' for update`, [imageId]);
        if (!image) throw fail.notFound(`No image found with ID ${imageId}`);
        const known = await tx.one<{ n: number }>('select count(*) as n from image_member where image_id = $1', [
          imageId,
        ]);
        checkMemberCount(known?.n ?? 0);
        const member = await tx.one<Member>(
          `insert into image_member (image_id, member_id, status, created_at, updated_at)
           values ($1, $2, 'pending', $3, $3) returning ${COLUMNS}`,
          [imageId, memberId, at],
        );
        await tell(tx, imageId, at, 'member.create', 'ok', memberId);
        return member!;
      });
    } catch (error) {
      if (isUnique(error, 'image_member_once'))
        throw fail.conflict(`Image member ${memberId} already associated with image ${imageId}.`);
      throw error;
    }
  }

  /** All members, or the one project's own entry. */
  list(imageId: string, only?: string): Promise<Member[]> {
    return this.db.query<Member>(
      `select ${COLUMNS} from image_member where image_id = $1 and ($2::text is null or member_id = $2) order by created_at, member_id`,
      [imageId, only ?? null],
    );
  }

  /** Throws `notFound`. */
  async get(imageId: string, memberId: string): Promise<Member> {
    const [member] = await this.list(imageId, memberId);
    if (!member) throw noSuchMember(imageId, memberId);
    return member;
  }

  /** Throws `notFound`. */
  async setStatus(imageId: string, memberId: string, status: MemberStatus): Promise<Member> {
    const at = this.clock.now();
    const member = await this.db.one<Member>(
      `update image_member set status = $3, updated_at = $4 where image_id = $1 and member_id = $2 returning ${COLUMNS}`,
      [imageId, memberId, status, at],
    );
    if (!member) throw noSuchMember(imageId, memberId);
    return member;
  }

  /** Throws `notFound`. */
  async remove(imageId: string, memberId: string): Promise<void> {
    const at = this.clock.now();
    await this.db.tx(async (tx) => {
      const removed = await tx.exec('delete from image_member where image_id = $1 and member_id = $2', [
        imageId,
        memberId,
      ]);
      if (!removed) throw noSuchMember(imageId, memberId);
      await tell(tx, imageId, at, 'member.delete', 'ok', memberId);
    });
  }
}
