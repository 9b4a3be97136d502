/** Public keys of users. A server keeps a copy of the one it was made with. */
import { fail } from '#libs/kernel';
import { isUnique, type Sql, type Tx } from '#libs/platform/db';
import { fits, type Keypair } from '#services/compute/domain';

const COLUMNS = `user_id as "userId", name, number, type, public_key as "publicKey", fingerprint, created_at as "createdAt"`;
const FIND = { name: 'keypair.find', text: `select ${COLUMNS} from keypair where user_id = $1 and name = $2` };

export class KeypairRepo {
  find(on: Sql, userId: string, name: string): Promise<Keypair | undefined> {
    return on.one<Keypair>(FIND, [userId, name]);
  }

  /** By name; one more row than the limit where there is a next page. The marker is a name. */
  list(on: Sql, userId: string, marker: string | undefined, limit: number): Promise<Keypair[]> {
    return on.query<Keypair>(
      `select ${COLUMNS} from keypair where user_id = $1 and ($2::text is null or name > $2) order by name limit $3`,
      [userId, marker ?? null, limit + 1],
    );
  }

  async count(on: Sql, userId: string): Promise<number> {
    const row = await on.one<{ count: number }>('select count(*) as count from keypair where user_id = $1', [userId]);
    return row?.count ?? 0;
  }

  /** Throws `conflict` for a name that is taken and `overQuota` beyond the limit of keys per user. */
  async insert(tx: Tx, key: Omit<Keypair, 'number'>, limit: number): Promise<Keypair> {
    // Inserts of one user take turns, so that the count holds.
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 7))', [key.userId]);
    if (!fits(limit, (await this.count(tx, key.userId)) + 1))
      throw fail.overQuota('Quota exceeded, too many key pairs.');
    try {
      const row = await tx.one<Keypair>(
        `insert into keypair (user_id, name, type, public_key, fingerprint, created_at) values ($1, $2, $3, $4, $5, $6)
           returning ${COLUMNS}`,
        [key.userId, key.name, key.type, key.publicKey, key.fingerprint, key.createdAt],
      );
      return row!;
    } catch (error) {
      if (isUnique(error)) throw fail.conflict(`Key pair '${key.name}' already exists.`);
      throw error;
    }
  }

  /** False: there is no such key. */
  async remove(on: Sql, userId: string, name: string): Promise<boolean> {
    return (await on.exec('delete from keypair where user_id = $1 and name = $2', [userId, name])) === 1;
  }
}
