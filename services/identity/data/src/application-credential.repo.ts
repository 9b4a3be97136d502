import { fail } from '#libs/kernel';
import { type Db, isUnique } from '#libs/platform/db';
import type { ApplicationCredential, Ref } from '#services/identity/domain';
import type { Changes } from './changes.js';
import { type Filter, Where } from './filter.js';

const TIME = `to_char(c.expires_at, 'YYYY-MM-DD"T"HH24:MI:SS.US')`;
const COLUMNS = `c.id, c.user_id, c.project_id, c.name, c.description, c.role_ids, c.unrestricted, ${TIME} as expires_at`;

interface Row {
  id: string;
  user_id: string;
  project_id: string;
  name: string;
  description: string | null;
  role_ids: string[];
  unrestricted: boolean;
  expires_at: string | null;
}

const credentialOf = (row: Row): ApplicationCredential => ({
  id: row.id,
  userId: row.user_id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  roleIds: row.role_ids,
  unrestricted: row.unrestricted,
  expiresAt: row.expires_at ?? undefined,
});

/** With the hash of its secret, for verification alone. */
export interface KnownCredential {
  readonly credential: ApplicationCredential;
  readonly secretHash: string;
}

const missing = (id: string) => fail.notFound(`Could not find application credential: ${id}.`);

const knownBy = (key: string, condition: string) => ({
  name: `identity.application_credential.${key}`,
  text: `select ${COLUMNS}, c.secret_hash from application_credentials c where ${condition}`,
});
const BY_ID = knownBy('id', 'c.id = $1');
const BY_USER = knownBy('user', 'c.name = $1 and c.user_id = $2');
const BY_NAME = knownBy(
  'user_name',
  `c.name = $1 and c.user_id = (select u.id from users u join projects d on d.id = u.domain_id
     where u.name = $2 and (d.id = $3 or d.name = $4))`,
);

export class ApplicationCredentials {
  constructor(
    private readonly db: Db,
    private readonly changes: Changes,
  ) {}

  async list(userId: string, filters: readonly Filter[]): Promise<ApplicationCredential[]> {
    const where = new Where().and('c.user_id = ?', userId).filters(filters, { name: 'c.name' });
    const sql = `select ${COLUMNS} from application_credentials c where ${where.sql} order by c.created_at, c.id`;
    return (await this.db.query<Row>(sql, where.params)).map(credentialOf);
  }

  async find(userId: string, id: string): Promise<ApplicationCredential> {
    const sql = `select ${COLUMNS} from application_credentials c where c.id = $1 and c.user_id = $2`;
    const row = await this.db.one<Row>(sql, [id, userId]);
    if (!row) throw missing(id);
    return credentialOf(row);
  }

  async known(id: string): Promise<KnownCredential | undefined> {
    return known(await this.db.one<Row & { secret_hash: string }>(BY_ID, [id]));
  }

  async knownByName(name: string, user: Ref): Promise<KnownCredential | undefined> {
    const row =
      'id' in user
        ? this.db.one<Row & { secret_hash: string }>(BY_USER, [name, user.id])
        : this.db.one<Row & { secret_hash: string }>(BY_NAME, [
            name,
            user.name,
            user.domain?.id ?? null,
            user.domain?.name ?? null,
          ]);
    return known(await row);
  }

  async create(credential: ApplicationCredential, secretHash: string): Promise<void> {
    try {
      await this.db.exec(
        `insert into application_credentials
           (id, user_id, project_id, name, description, secret_hash, role_ids, unrestricted, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          credential.id,
          credential.userId,
          credential.projectId,
          credential.name,
          credential.description,
          secretHash,
          credential.roleIds,
          credential.unrestricted,
          credential.expiresAt ?? null,
        ],
      );
    } catch (error) {
      if (!isUnique(error)) throw error;
      throw fail.conflict('Conflict occurred attempting to store application_credential - the name is taken.');
    }
  }

  async remove(userId: string, id: string): Promise<void> {
    await this.changes.run('delete_application_credential', async (tx, change) => {
      const sql = 'delete from application_credentials where id = $1 and user_id = $2';
      if (!(await tx.exec(sql, [id, userId]))) throw missing(id);
      change.revoke({ delegationId: id });
    });
  }
}

const known = (row: (Row & { secret_hash: string }) | undefined): KnownCredential | undefined =>
  row && { credential: credentialOf(row), secretHash: row.secret_hash };
