/** Subnet pools with their prefixes. That no two subnets of a pool overlap is the database's to keep. */
import { isViolation, type Sql, type Tx } from '#libs/platform/db';
import type { IpVersion, SubnetPool } from '#services/network/domain';
import {
  byBoolean,
  byInteger,
  byNullableText,
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
  readonly version: IpVersion;
  readonly prefixes: readonly string[];
  readonly min_length: number;
  readonly max_length: number;
  readonly default_length: number;
  readonly default_quota: number | null;
  readonly is_default: boolean;
  readonly scope_id: string | null;
  readonly shared_with: readonly string[];
  readonly tags: readonly string[];
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const SELECT = `l.*, ${targetsSql('l', 'access_as_shared')} as shared_with,
  array(select x.prefix::text from subnetpool_prefix x where x.pool_id = l.id order by x.prefix) as prefixes`;

const toPool = (row: Row): SubnetPool => ({
  id: row.id,
  projectId: row.project_id,
  name: row.name,
  description: row.description,
  version: row.version,
  prefixes: row.prefixes,
  minLength: row.min_length,
  maxLength: row.max_length,
  defaultLength: row.default_length,
  defaultQuota: row.default_quota,
  isDefault: row.is_default,
  scopeId: row.scope_id,
  sharedWith: row.shared_with,
  tags: row.tags,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const LIST: ListSpec = {
  select: SELECT,
  from: 'subnetpool l',
  id: 'l.id',
  filters: {
    id: byUuid('l.id'),
    name: byText('l.name'),
    project_id: byText('l.project_id'),
    tenant_id: byText('l.project_id'),
    description: byText('l.description'),
    ip_version: byInteger('l.version'),
    default_prefixlen: byInteger('l.default_length'),
    min_prefixlen: byInteger('l.min_length'),
    max_prefixlen: byInteger('l.max_length'),
    default_quota: byInteger('l.default_quota'),
    is_default: byBoolean('l.is_default'),
    address_scope_id: byNullableText('l.scope_id::text'),
    shared: (values, bind) =>
      `exists (select 1 from rbac_policy r where r.object_id = l.id and r.target = '*') = any(${bind(values)}::boolean[])`,
    revision_number: byInteger('l.revision'),
    changed_since: since('l.updated_at'),
    ...byTags('l.tags'),
  },
  sortable: {
    id: 'l.id',
    name: 'l.name',
    project_id: 'l.project_id',
    tenant_id: 'l.project_id',
    ip_version: 'l.version',
    default_prefixlen: 'l.default_length',
    min_prefixlen: 'l.min_length',
    max_prefixlen: 'l.max_length',
    is_default: 'l.is_default',
    created_at: 'l.created_at',
    updated_at: 'l.updated_at',
  },
};
export const SUBNET_POOL_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

export type NewSubnetPool = Omit<SubnetPool, 'sharedWith' | 'tags' | 'revision' | 'createdAt' | 'updatedAt'>;
type Changeable = Omit<NewSubnetPool, 'id' | 'projectId' | 'version'>;
export type SubnetPoolChange = { readonly [K in keyof Changeable]?: Changeable[K] | undefined };

export class SubnetPoolRepo {
  async find(on: Sql, id: string): Promise<SubnetPool | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from subnetpool l where l.id = $1`, [id]);
    return row && toPool(row);
  }

  async defaultOf(on: Sql, version: IpVersion): Promise<SubnetPool | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from subnetpool l where l.is_default and l.version = $1`, [
      version,
    ]);
    return row && toPool(row);
  }

  async list(on: Sql, request: ListRequest, scope: Scope): Promise<Page<SubnetPool>> {
    const { text, params } = listSql(LIST, request, ownOrShared('l', scope, 'access_as_shared'));
    return pageOf((await on.query<Row>(text, params)).map(toPool), request);
  }

  /** Locks the pool until the transaction ends and gives it as it is then: what is given out of it goes one by one. */
  async lock(tx: Tx, id: string): Promise<SubnetPool | undefined> {
    const row = await tx.one('select 1 from subnetpool where id = $1 for no key update', [id]);
    return row === undefined ? undefined : this.find(tx, id);
  }

  async insert(tx: Tx, pool: NewSubnetPool, now: Date): Promise<void> {
    await tx.exec(
      `insert into subnetpool (id, project_id, name, description, version, min_length, max_length, default_length,
         default_quota, is_default, scope_id, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)`,
      [
        pool.id,
        pool.projectId,
        pool.name,
        pool.description,
        pool.version,
        pool.minLength,
        pool.maxLength,
        pool.defaultLength,
        pool.defaultQuota,
        pool.isDefault,
        pool.scopeId,
        now,
      ],
    );
    await this.setPrefixes(tx, pool.id, pool.prefixes, pool.scopeId);
  }

  async update(tx: Tx, before: SubnetPool, change: SubnetPoolChange, now: Date): Promise<void> {
    const after = { ...before, ...definedOf(change) };
    await tx.exec(
      `update subnetpool set name = $2, description = $3, min_length = $4, max_length = $5, default_length = $6,
         default_quota = $7, is_default = $8, scope_id = $9, revision = revision + 1, updated_at = $10 where id = $1`,
      [
        before.id,
        after.name,
        after.description,
        after.minLength,
        after.maxLength,
        after.defaultLength,
        after.defaultQuota,
        after.isDefault,
        after.scopeId,
        now,
      ],
    );
    await this.setPrefixes(tx, before.id, after.prefixes, after.scopeId);
  }

  /** A subnet from it makes it a violation, to be caught outside the transaction. */
  async delete(tx: Tx, id: string): Promise<{ readonly projectId: string } | undefined> {
    return tx.one('delete from subnetpool where id = $1 returning project_id as "projectId"', [id]);
  }

  /** What is given out of the pool, and to whom. */
  async taken(on: Sql, id: string): Promise<{ readonly cidr: string; readonly projectId: string }[]> {
    return on.query(
      `select s.cidr::text as cidr, s.project_id as "projectId" from subnet s where s.pool_id = $1 order by s.cidr`,
      [id],
    );
  }

  /** The pools that the subnets of a network are from; null stands for none. */
  async poolsOn(on: Sql, networkId: string, version: IpVersion): Promise<(string | null)[]> {
    const rows = await on.query<{ pool_id: string | null }>(
      'select distinct pool_id from subnet where network_id = $1 and version = $2',
      [networkId, version],
    );
    return rows.map((row) => row.pool_id);
  }

  /** The subnets of one version on a network, which nobody changes until the transaction ends. */
  async lockSubnetsOn(
    tx: Tx,
    networkId: string,
    version: IpVersion,
  ): Promise<{ readonly id: string; readonly cidr: string }[]> {
    return tx.query(
      `select id, cidr::text as cidr from subnet where network_id = $1 and version = $2 order by cidr for update`,
      [networkId, version],
    );
  }

  /** Makes subnets that are there already the pool's. */
  async takeIn(tx: Tx, id: string, subnetIds: readonly string[], now: Date): Promise<void> {
    await tx.exec(
      'update subnet set pool_id = $1, revision = revision + 1, updated_at = $3 where id = any($2::uuid[])',
      [id, subnetIds, now],
    );
  }

  private async setPrefixes(tx: Tx, id: string, prefixes: readonly string[], scopeId: string | null): Promise<void> {
    await tx.exec('delete from subnetpool_prefix where pool_id = $1', [id]);
    await tx.exec(
      'insert into subnetpool_prefix (pool_id, scope_id, prefix) select $1, $3, p from unnest($2::cidr[]) p',
      [id, prefixes, scopeId],
    );
  }
}

const definedOf = (change: SubnetPoolChange): Partial<Changeable> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));

export const isPoolUsed = (error: unknown): boolean => isViolation(error, 'foreignKey', 'subnet_pool');
export const isSecondDefaultPool = (error: unknown): boolean => isViolation(error, 'unique', 'subnetpool_default');
export const isScopeConflict = (error: unknown): boolean =>
  isViolation(error, 'exclusion', 'subnetpool_prefix_overlap');
export const isScopeGone = (error: unknown): boolean => isViolation(error, 'foreignKey', 'subnetpool_scope');
