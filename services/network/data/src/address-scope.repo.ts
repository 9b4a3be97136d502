/** Address scopes. One that a pool is in can not go. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { AddressScope, IpVersion } from '#services/network/domain';
import {
  byInteger,
  byTags,
  byText,
  byUuid,
  type ListRequest,
  type ListSpec,
  listSql,
  ownOrShared,
  type Page,
  pageOf,
  type Scope,
  since,
  targetsSql,
} from './listing.js';

interface Row {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly version: IpVersion;
  readonly shared_with: readonly string[];
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const SELECT = `c.*, ${targetsSql('c', 'access_as_shared')} as shared_with`;

const toScope = (row: Row): AddressScope => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  version: row.version,
  sharedWith: row.shared_with,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: SELECT,
  from: 'address_scope c',
  id: 'c.id',
  filters: {
    id: byUuid('c.id'),
    name: byText('c.name'),
    project_id: byText('c.project_id'),
    tenant_id: byText('c.project_id'),
    ip_version: byInteger('c.version'),
    shared: (values, bind) =>
      `exists (select 1 from rbac_policy r where r.object_id = c.id and r.target = '*') = any(${bind(values)}::boolean[])`,
    revision_number: byInteger('c.revision'),
    changed_since: since('c.updated_at'),
    ...byTags('c.tags'),
  },
  sortable: {
    id: 'c.id',
    name: 'c.name',
    project_id: 'c.project_id',
    tenant_id: 'c.project_id',
    ip_version: 'c.version',
    created_at: 'c.created_at',
    updated_at: 'c.updated_at',
  },
};
export const ADDRESS_SCOPE_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type NewAddressScope = Pick<AddressScope, 'id' | 'projectId' | 'name' | 'version'>;

export class AddressScopeRepo {
  async find(on: Sql, id: string): Promise<AddressScope | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from address_scope c where c.id = $1`, [id]);
    return row && toScope(row);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<AddressScope>> {
    const { text, params } = listSql(LIST, request, ownOrShared('c', scope, 'access_as_shared'));
    return pageOf((await on.query<Row>(text, params)).map(toScope), request);
  }

  async insert(tx: Tx, scope: NewAddressScope, now: Date): Promise<void> {
    await tx.exec(
      'insert into address_scope (id, project_id, name, version, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)',
      [scope.id, scope.projectId, scope.name, scope.version, now],
    );
  }

  async update(tx: Tx, id: string, name: string | undefined, now: Date): Promise<boolean> {
    const done = await tx.exec(
      'update address_scope set name = coalesce($2, name), revision = revision + 1, updated_at = $3 where id = $1',
      [id, name, now],
    );
    return done === 1;
  }

  /** A pool in it makes it a violation, to be caught outside the transaction. */
  async delete(tx: Tx, id: string): Promise<boolean> {
    return (await tx.exec('delete from address_scope where id = $1', [id])) === 1;
  }
}

export const isScopeUsed = (error: unknown): boolean => isViolation(error, 'foreignKey', 'subnetpool_scope');
