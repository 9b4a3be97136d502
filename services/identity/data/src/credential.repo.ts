import { fail } from '#libs/kernel';
import { type Db, isViolation } from '#libs/platform/db';
import type { Credential, Extra } from '#services/identity/domain';
import { type Filter, json, setClause, Where } from './filter.js';
import type { Seal } from './seal.js';

const COLUMNS = 'id, user_id, project_id, type, sealed_blob, key_id, extra';

interface Row {
  id: string;
  user_id: string;
  project_id: string | null;
  type: string;
  sealed_blob: Buffer;
  key_id: string;
  extra: Extra;
}

export interface CredentialPatch {
  readonly projectId?: string | undefined;
  readonly type?: string | undefined;
  readonly blob?: string | undefined;
  readonly extra?: Extra | undefined;
}

const missing = (id: string) => fail.notFound(`Could not find credential: ${id}.`);

function refuse(error: unknown): never {
  if (isViolation(error, 'foreignKey')) throw fail.invalid('The user or the project does not exist.');
  throw error;
}

export class Credentials {
  constructor(
    private readonly db: Db,
    private readonly seal: Seal,
  ) {}

  async list(filters: readonly Filter[]): Promise<Credential[]> {
    const where = new Where().filters(filters, { user_id: 'user_id', type: 'type' });
    const rows = await this.db.query<Row>(
      `select ${COLUMNS} from credentials where ${where.sql} order by id`,
      where.params,
    );
    return rows.map((row) => this.#opened(row));
  }

  async find(id: string): Promise<Credential> {
    const row = await this.db.one<Row>(`select ${COLUMNS} from credentials where id = $1`, [id]);
    if (!row) throw missing(id);
    return this.#opened(row);
  }

  async create(credential: Credential): Promise<void> {
    const { id, userId, projectId, type, blob, extra } = credential;
    const sealed = this.seal.close(blob, id);
    await this.db
      .exec(
        `insert into credentials (id, user_id, project_id, type, sealed_blob, key_id, extra)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [id, userId, projectId ?? null, type, sealed.bytes, sealed.keyId, json(extra)],
      )
      .catch((error: unknown) => {
        if (isViolation(error, 'unique')) throw fail.conflict('Conflict occurred attempting to store credential.');
        return refuse(error);
      });
  }

  async update(id: string, patch: CredentialPatch): Promise<Credential> {
    const { projectId, type, blob, extra } = patch;
    const sealed = blob === undefined ? undefined : this.seal.close(blob, id);
    const columns = {
      project_id: projectId,
      type,
      sealed_blob: sealed?.bytes,
      key_id: sealed?.keyId,
      extra: json(extra),
    };
    const params: unknown[] = [id];
    const set = setClause(columns, params) ?? 'set id = id';
    const row = await this.db
      .one<Row>(`update credentials ${set} where id = $1 returning ${COLUMNS}`, params)
      .catch(refuse);
    if (!row) throw missing(id);
    return this.#opened(row);
  }

  async remove(id: string): Promise<void> {
    if (!(await this.db.exec('delete from credentials where id = $1', [id]))) throw missing(id);
  }

  #opened(row: Row): Credential {
    return {
      id: row.id,
      userId: row.user_id,
      projectId: row.project_id ?? undefined,
      type: row.type,
      blob: this.seal.open({ keyId: row.key_id, bytes: row.sealed_blob }, row.id),
      extra: row.extra,
    };
  }
}
