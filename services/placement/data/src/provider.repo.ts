/** Providers, their inventories, traits and aggregates. Every write raises the generation and looks at the row count. */
import { fail } from '#libs/kernel';
import { type Db, isUnique, isViolation, type Tx } from '#libs/platform/db';
import { type Inventories, NO_PROFILE, type NodeProfile, type ProviderFacts } from '#services/placement/domain';
import { CONCURRENT } from './allocation.repo.js';
import { holdNames } from './names.repo.js';
import { PROVIDER_COLUMNS, type ProviderRow, toFacts } from './provider.columns.js';

export interface NewProvider {
  readonly id: string;
  readonly name: string;
  readonly parentId: string | null;
}

/** A compute node as compute describes it. */
export interface NodeDescription {
  readonly id: string;
  readonly name: string;
  readonly inventories: Inventories;
  readonly traits: readonly string[];
  readonly disabledReason: string | null;
  readonly zone: string;
  /** Those that compute keeps; what else the provider is a member of stays. */
  readonly aggregates?: readonly string[];
  readonly profile?: NodeProfile;
}

/** What an update may set. */
export interface ProviderChange {
  readonly inventories?: Inventories;
  readonly traits?: readonly string[];
  readonly aggregates?: readonly string[];
  /** Leave the generation as it is, as aggregates did before 1.19. */
  readonly quietly?: boolean;
  /** What is said where the provider has another generation. */
  readonly stale?: string;
}

const IN_USE = { type: 'placement.inventory.inuse' } as const;
const DUPLICATE = { type: 'placement.duplicate_name' } as const;
/** Trees stay as they are while a child is added to one; one move at a time. */
const KEEP_TREES = `select pg_advisory_xact_lock_shared(hashtext('placement.trees'))`;
const MOVE_TREES = `select pg_advisory_xact_lock(hashtext('placement.trees'))`;
const notFound = (id: string): Error => fail.notFound(`No resource provider with uuid ${id} found`);

export class ProviderRepo {
  constructor(private readonly db: Db) {}

  async find(id: string): Promise<ProviderFacts | undefined> {
    const row = await this.db.one<ProviderRow>(`select ${PROVIDER_COLUMNS} from provider p where id = $1`, [id]);
    return row && toFacts(row);
  }

  async create(provider: NewProvider): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        if (provider.parentId !== null) await tx.exec(KEEP_TREES);
        const rootId = provider.parentId === null ? provider.id : await rootOf(tx, provider.parentId);
        await tx.exec(`insert into provider (id, name, parent_id, root_id) values ($1, $2, $3, $4)`, [
          ...[provider.id, provider.name, provider.parentId, rootId],
        ]);
      });
    } catch (error) {
      throw taken(error, provider) ?? error;
    }
  }

  /**
   * Renames and, where `parentId` is not undefined, moves a provider with everything below it. The generation stays: it
   * guards what a provider offers and what is held of it.
   */
  async update(id: string, name: string, parentId: string | null | undefined): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        const moved = parentId === undefined ? [] : await lockMoved(tx, id, parentId);
        const changed = await tx.exec(
          `update provider set name = $2, updated_at = now(), changed = pg_current_xact_id() where id = $1`,
          [id, name],
        );
        if (!changed) throw notFound(id);
        if (parentId !== undefined) await move(tx, id, parentId, moved);
      });
    } catch (error) {
      if (isUnique(error, 'provider_name_unique'))
        throw fail.conflict(`Conflicting resource provider ${name} already exists.`, DUPLICATE);
      throw error;
    }
  }

  async remove(id: string): Promise<void> {
    try {
      await this.db.tx(async (tx) => {
        if (!(await tx.exec('delete from provider where id = $1', [id])))
          throw fail.notFound(`No resource provider with uuid ${id} found for delete`);
        await tx.exec('insert into provider_gone (id) values ($1)', [id]);
        await tx.exec(`delete from provider_gone where at < now() - interval '1 day'`);
      });
    } catch (error) {
      if (isViolation(error, 'foreignKey', 'provider_parent_exists')) {
        throw fail.conflict(`Unable to delete parent resource provider ${id}: It has child resource providers.`, {
          type: 'placement.resource_provider.cannot_delete_parent',
        });
      }
      if (isViolation(error, 'foreignKey', 'allocation_provider')) {
        throw fail.conflict(`Unable to delete resource provider ${id}: Resource provider has allocations.`, {
          type: 'placement.resource_provider.inuse',
        });
      }
      throw error;
    }
  }

  /** Sets what is given, if the provider still has that generation (any, when undefined). Returns the new state. */
  change(id: string, generation: number | undefined, change: ProviderChange): Promise<ProviderFacts> {
    return this.db.tx((tx) => changeProvider(tx, id, generation, change));
  }

  /** Makes the node's provider what compute says; nothing is written where it is so already. Returns the generation. */
  async ensureNode(node: NodeDescription): Promise<number> {
    const params = [
      node.id,
      node.name,
      JSON.stringify(node.inventories),
      [...node.traits].sort(),
      node.disabledReason,
      node.zone,
      [...(node.aggregates ?? [])].sort(),
      JSON.stringify(node.profile ?? NO_PROFILE),
    ];
    try {
      const written = await this.db.one<{ generation: number }>(ENSURE, params);
      if (written) return written.generation;
    } catch (error) {
      if (!isUnique(error, 'provider_name_unique')) throw error;
      await this.#dropNamesake(node);
      return this.ensureNode(node);
    }
    const known = await this.find(node.id);
    return known ? known.generation : this.ensureNode(node);
  }

  /** A node that was set up anew has a new id under its old name: the old one goes, unless something is still on it. */
  async #dropNamesake(node: NodeDescription): Promise<void> {
    const old = await this.db.one<{ id: string }>('select id from provider where name = $1 and id <> $2', [
      node.name,
      node.id,
    ]);
    if (old) await this.remove(old.id);
  }
}

const ENSURE = {
  name: 'placement.ensure',
  text: `insert into provider as p (id, name, root_id, inventories, traits, disabled_reason, zone, aggregates, node_aggregates, profile, is_node)
    values ($1, $2, $1, $3, $4, $5, $6, $7, $7, $8, true)
    on conflict (id) do update set name = $2, inventories = $3::jsonb || placement_still_held(p.inventories, p.used, $3), traits = $4, disabled_reason = $5, zone = $6, is_node = true,
           aggregates = (select coalesce(array_agg(distinct a order by a), '{}') from unnest(p.aggregates || $7::uuid[]) as u (a)
             where a = any ($7::uuid[]) or a <> all (p.node_aggregates)),
           node_aggregates = $7, profile = $8,
           generation = p.generation + 1, updated_at = now(), changed = pg_current_xact_id()
     where (p.name, p.inventories, p.traits, p.disabled_reason, p.zone, p.node_aggregates, p.profile, p.is_node)
           is distinct from ($2, $3::jsonb || placement_still_held(p.inventories, p.used, $3), $4::text[], $5, $6, $7::uuid[], $8::jsonb, true) or not p.aggregates @> $7::uuid[]
    returning p.generation`,
};

/** The same within a transaction of the caller's, for changes of several providers at once. */
export async function changeProvider(
  tx: Tx,
  id: string,
  generation: number | undefined,
  change: ProviderChange,
): Promise<ProviderFacts> {
  await holdNames(tx, 'class', Object.keys(change.inventories ?? {}));
  await holdNames(tx, 'trait', change.traits ?? []);
  const known = await tx.one<ProviderRow>(`select ${PROVIDER_COLUMNS} from provider p where id = $1 for update`, [id]);
  if (!known) throw notFound(id);
  if (generation !== undefined && generation !== known.generation) {
    throw fail.conflict(change.stale ?? 'resource provider generation conflict', CONCURRENT);
  }
  if (change.inventories) refuseInUse(known, change.inventories);
  const row = await tx.one<ProviderRow>(
    `update provider p set inventories = coalesce($2, inventories), traits = coalesce($3, traits),
       aggregates = coalesce($4, aggregates), generation = generation + $5::int, updated_at = now(), changed = pg_current_xact_id()
      where id = $1 returning ${PROVIDER_COLUMNS}`,
    [
      id,
      change.inventories && JSON.stringify(change.inventories),
      change.traits,
      change.aggregates,
      change.quietly ? 0 : 1,
    ],
  );
  return toFacts(row!);
}

/** A class of which something is taken can not be taken away. */
function refuseInUse(row: Pick<ProviderRow, 'id' | 'used'>, inventories: Inventories): void {
  const lost = Object.keys(row.used).filter((name) => !inventories[name]);
  if (lost.length)
    throw fail.conflict(`Inventory for '${lost.join(', ')}' on resource provider '${row.id}' in use.`, IN_USE);
}

async function rootOf(tx: Tx, parentId: string): Promise<string> {
  const parent = await tx.one<{ root_id: string }>('select root_id from provider where id = $1 for share', [parentId]);
  if (!parent) throw fail.invalid('Object action create failed because: parent provider UUID does not exist.');
  return parent.root_id;
}

/** Keeps others from all that moves and from where it goes to. Returns the ids of what moves. */
async function lockMoved(tx: Tx, id: string, parentId: string | null): Promise<string[]> {
  await tx.exec(MOVE_TREES);
  const below = await tx.query<{ id: string }>(
    `with recursive down as (
        select id from provider where id = $1 union all select p.id from provider p join down d on p.parent_id = d.id)
      select id from down`,
    [id],
  );
  const ids = below.map((row) => row.id);
  const all = parentId === null ? ids : [...ids, parentId];
  await tx.exec('select 1 from provider where id = any ($1) order by id for no key update', [all]);
  return ids;
}

async function move(tx: Tx, id: string, parentId: string | null, ids: readonly string[]): Promise<void> {
  if (parentId !== null && ids.includes(parentId)) {
    throw fail.invalid('Object action update failed because: creating loop in the provider tree is not allowed.');
  }
  const rootId = parentId === null ? id : await rootOf(tx, parentId);
  await tx.exec('update provider set parent_id = $2 where id = $1', [id, parentId]);
  await tx.exec(
    `update provider set root_id = $2, updated_at = now(), changed = pg_current_xact_id() where id = any ($1)`,
    [ids, rootId],
  );
}

function taken(error: unknown, { id, name }: NewProvider): Error | undefined {
  const what = isUnique(error, 'provider_name_unique')
    ? `name: ${name}`
    : isUnique(error, 'provider_pkey')
      ? `uuid: ${id}`
      : undefined;
  return what === undefined
    ? undefined
    : fail.conflict(`Conflicting resource provider ${what} already exists.`, DUPLICATE);
}
