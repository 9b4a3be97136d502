import type { Db } from '#libs/platform/db';

export interface Named {
  readonly id: string;
  readonly name: string;
  /** Absent for domains and global roles. */
  readonly domain: { readonly id: string; readonly name: string } | undefined;
}

const TABLES = { user: 'users', group: 'groups', project: 'projects', role: 'roles' } as const;

/** Names and domains for lists that carry them on demand. */
export class Names {
  constructor(private readonly db: Db) {}

  async of(kind: keyof typeof TABLES, ids: ReadonlySet<string>): Promise<ReadonlyMap<string, Named>> {
    if (!ids.size) return new Map();
    const rows = await this.db.query<{ id: string; name: string; domain_id: string | null; domain_name: string }>(
      `select x.id, x.name, d.id as domain_id, d.name as domain_name
       from ${TABLES[kind]} x left join projects d on d.id = x.domain_id where x.id = any($1)`,
      [[...ids]],
    );
    return new Map(
      rows.map((row) => {
        const domain = row.domain_id === null ? undefined : { id: row.domain_id, name: row.domain_name };
        return [row.id, { id: row.id, name: row.name, domain }];
      }),
    );
  }
}
