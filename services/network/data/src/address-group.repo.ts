/** Address groups with their addresses. A group that a rule names can not be deleted. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { AddressGroup } from '#services/network/domain';
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
  readonly description: string;
  readonly shared_with: readonly string[];
  readonly addresses: readonly string[];
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const SELECT = `a.*, ${targetsSql('a', 'access_as_shared')} as shared_with,
  array(select m.address::text from address_group_address m where m.group_id = a.id order by m.address) as addresses`;

const toAddressGroup = (row: Row): AddressGroup => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  sharedWith: row.shared_with,
  addresses: row.addresses,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: SELECT,
  from: 'address_group a',
  id: 'a.id',
  filters: {
    id: byUuid('a.id'),
    name: byText('a.name'),
    project_id: byText('a.project_id'),
    tenant_id: byText('a.project_id'),
    description: byText('a.description'),
    revision_number: byInteger('a.revision'),
    changed_since: since('a.updated_at'),
    ...byTags('a.tags'),
  },
  sortable: {
    id: 'a.id',
    name: 'a.name',
    project_id: 'a.project_id',
    tenant_id: 'a.project_id',
    description: 'a.description',
    created_at: 'a.created_at',
    updated_at: 'a.updated_at',
  },
};
export const ADDRESS_GROUP_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type NewAddressGroup = Pick<AddressGroup, 'id' | 'projectId' | 'name' | 'description' | 'addresses'>;
export type AddressGroupChange = Partial<Pick<AddressGroup, 'name' | 'description'>>;

export class AddressGroupRepo {
  async find(on: Sql, id: string): Promise<AddressGroup | undefined> {
    const [group] = await this.findMany(on, [id]);
    return group;
  }

  async findMany(on: Sql, ids: readonly string[]): Promise<AddressGroup[]> {
    if (ids.length === 0) return [];
    const rows = await on.query<Row>(
      { name: 'address-group-find-many', text: `select ${SELECT} from address_group a where a.id = any($1::uuid[])` },
      [ids],
    );
    return rows.map(toAddressGroup);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<AddressGroup>> {
    const { text, params } = listSql(LIST, request, ownOrShared('a', scope, 'access_as_shared'));
    return pageOf((await on.query<Row>(text, params)).map(toAddressGroup), request);
  }

  async insert(tx: Tx, group: NewAddressGroup, now: Date): Promise<void> {
    await tx.exec(
      `insert into address_group (id, project_id, name, description, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)`,
      [group.id, group.projectId, group.name, group.description, now],
    );
    await this.add(tx, group.id, group.addresses);
  }

  /** Locks the group until the transaction ends and gives it as it is then. */
  async lock(tx: Tx, id: string): Promise<AddressGroup | undefined> {
    const row = await tx.one('select 1 from address_group where id = $1 for no key update', [id]);
    return row === undefined ? undefined : this.find(tx, id);
  }

  /** Its revision rises, also where only its addresses change. */
  async update(tx: Tx, id: string, change: AddressGroupChange, now: Date): Promise<void> {
    await tx.exec(
      `update address_group set name = coalesce($2, name), description = coalesce($3, description),
         revision = revision + 1, updated_at = $4 where id = $1`,
      [id, change.name, change.description, now],
    );
  }

  async add(tx: Tx, id: string, addresses: readonly string[]): Promise<void> {
    await tx.exec('insert into address_group_address (group_id, address) select $1, a from unnest($2::cidr[]) a', [
      id,
      addresses,
    ]);
  }

  async remove(tx: Tx, id: string, addresses: readonly string[]): Promise<void> {
    await tx.exec('delete from address_group_address where group_id = $1 and address = any($2::cidr[])', [
      id,
      addresses,
    ]);
  }

  /** A rule that names it makes it a violation, to be caught outside the transaction. */
  async delete(tx: Tx, id: string): Promise<boolean> {
    return (await tx.exec('delete from address_group where id = $1', [id])) === 1;
  }
}

export const isAddressGroupUsed = (error: unknown): boolean =>
  isViolation(error, 'foreignKey', 'security_group_rule_address_group') ||
  isViolation(error, 'foreignKey', 'default_security_group_rule_address_group');
