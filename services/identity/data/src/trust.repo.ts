import { fail } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Trust } from '#services/identity/domain';
import type { Changes } from './changes.js';
import { Where } from './filter.js';

const TIME = `to_char(t.expires_at, 'YYYY-MM-DD"T"HH24:MI:SS.US')`;
const COLUMNS = `t.id, t.trustor_user_id, t.trustee_user_id, t.project_id, t.impersonation, t.role_ids, t.remaining_uses,
  ${TIME} as expires_at`;

interface Row {
  id: string;
  trustor_user_id: string;
  trustee_user_id: string;
  project_id: string;
  impersonation: boolean;
  role_ids: string[];
  remaining_uses: number | null;
  expires_at: string | null;
}

const trustOf = (row: Row): Trust => ({
  id: row.id,
  trustorUserId: row.trustor_user_id,
  trusteeUserId: row.trustee_user_id,
  projectId: row.project_id,
  impersonation: row.impersonation,
  roleIds: row.role_ids,
  remainingUses: row.remaining_uses ?? undefined,
  expiresAt: row.expires_at ?? undefined,
});

export const noTrust = (id: string) => fail.notFound(`Could not find trust: ${id}.`);

export class Trusts {
  constructor(
    private readonly db: Db,
    private readonly changes: Changes,
  ) {}

  async list(trustorUserId: string | undefined, trusteeUserId: string | undefined): Promise<Trust[]> {
    const where = new Where();
    if (trustorUserId !== undefined) where.and('t.trustor_user_id = ?', trustorUserId);
    if (trusteeUserId !== undefined) where.and('t.trustee_user_id = ?', trusteeUserId);
    const sql = `select ${COLUMNS} from trusts t where ${where.sql} order by t.created_at, t.id`;
    return (await this.db.query<Row>(sql, where.params)).map(trustOf);
  }

  async find(id: string): Promise<Trust> {
    const row = await this.db.one<Row>(`select ${COLUMNS} from trusts t where t.id = $1`, [id]);
    if (!row) throw noTrust(id);
    return trustOf(row);
  }

  async create(trust: Trust): Promise<void> {
    const made = await this.db.exec(
      `insert into trusts (id, trustor_user_id, trustee_user_id, project_id, impersonation, role_ids, expires_at,
         remaining_uses)
       select $1, $2, u.id, $4, $5, $6, $7, $8 from users u where u.id = $3`,
      [
        trust.id,
        trust.trustorUserId,
        trust.trusteeUserId,
        trust.projectId,
        trust.impersonation,
        trust.roleIds,
        trust.expiresAt ?? null,
        trust.remainingUses ?? null,
      ],
    );
    if (!made) throw fail.notFound(`Could not find user: ${trust.trusteeUserId}.`);
  }

  /** Takes one use. False when none is left, or the trust is gone. */
  async use(id: string): Promise<boolean> {
    const sql = `update trusts set remaining_uses = remaining_uses - 1
       where id = $1 and (remaining_uses is null or remaining_uses > 0)`;
    return (await this.db.exec(sql, [id])) === 1;
  }

  async remove(id: string): Promise<void> {
    await this.changes.run('delete_trust', async (tx, change) => {
      if (!(await tx.exec('delete from trusts where id = $1', [id]))) throw noTrust(id);
      change.revoke({ delegationId: id });
    });
  }
}
