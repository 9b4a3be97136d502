/**
 * Allocations as the Placement API writes them: any consumers on any providers at once, all or nothing. Providers are
 * locked in the order of their ids, then written once each, on the condition that what grows still fits.
 *
 * A provider's generation rises also when something is given back, which it does not upstream: by it snapshots know which
 * of two states is the newer one. Who holds an older generation is asked to look again, as for any other change.
 */
import { fail } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { type Amounts, fits, unitsFit } from '#services/placement/domain';
import { PROVIDER_COLUMNS, type ProviderRow } from './provider.columns.js';

export interface ConsumerFacts {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  readonly type: string | null;
  readonly generation: number;
}

export interface Allocation {
  readonly consumerId: string;
  readonly providerId: string;
  readonly resources: Amounts;
}

/** Everything that one consumer shall hold from now on; nothing for none. */
export interface ConsumerWish {
  readonly consumerId: string;
  /** Unchanged, or the defaults of old, where the caller does not say. */
  readonly projectId: string | undefined;
  readonly userId: string | undefined;
  readonly type: string | undefined;
  /** What the caller believes: null for a new consumer; undefined where it is too old to say. */
  readonly generation: number | null | undefined;
  readonly allocations: readonly { readonly providerId: string; readonly resources: Amounts }[];
}

/** Who an allocation belongs to when a caller from before 1.8 does not say. */
const UNKNOWN_OWNER = '00000000-0000-0000-0000-000000000000';

export const CONCURRENT = { type: 'placement.concurrent_update' } as const;

export class AllocationRepo {
  constructor(private readonly db: Db) {}

  async consumer(id: string): Promise<ConsumerFacts | undefined> {
    return this.db.one(
      `select id, project_id as "projectId", user_id as "userId", type, generation from consumer where id = $1`,
      [id],
    );
  }

  /** What the consumer holds, with each provider's generation. */
  async ofConsumer(id: string): Promise<(Allocation & { generation: number })[]> {
    return this.db.query(
      `select a.consumer_id as "consumerId", a.provider_id as "providerId", p.generation, jsonb_object_agg(a.class, a.amount) as resources
         from allocation a join provider p on p.id = a.provider_id where a.consumer_id = $1 group by 1, 2, 3 order by 2`,
      [id],
    );
  }

  async ofProvider(id: string): Promise<(Allocation & { consumerGeneration: number })[]> {
    return this.db.query(
      `select a.consumer_id as "consumerId", a.provider_id as "providerId", c.generation as "consumerGeneration",
              jsonb_object_agg(a.class, a.amount) as resources
         from allocation a join consumer c on c.id = a.consumer_id where a.provider_id = $1 group by 1, 2, 3 order by 1`,
      [id],
    );
  }

  /** All allocations, or those of the given consumers, with the providers' names. */
  async all(consumerIds: readonly string[] = []): Promise<(Allocation & { providerName: string })[]> {
    return this.db.query(
      `select a.consumer_id as "consumerId", a.provider_id as "providerId", p.name as "providerName",
              jsonb_object_agg(a.class, a.amount) as resources
         from allocation a join provider p on p.id = a.provider_id
        where cardinality($1::uuid[]) = 0 or a.consumer_id = any ($1::uuid[]) group by 1, 2, 3 order by 1, 2`,
      [consumerIds],
    );
  }

  /** Units by consumer type and class, and the number of consumers of each type. */
  async usages(
    projectId: string,
    userId?: string,
  ): Promise<{ type: string | null; consumers: number; usages: Amounts }[]> {
    return this.db.query(
      `with held as (
          select c.type, a.class, sum(a.amount)::bigint as units from consumer c join allocation a on a.consumer_id = c.id
           where c.project_id = $1 and ($2::text is null or c.user_id = $2) group by 1, 2
        ), counted as (
          select type, count(*) as consumers from consumer c where c.project_id = $1 and ($2::text is null or c.user_id = $2) group by 1
        )
        select n.type, n.consumers, (select coalesce(jsonb_object_agg(h.class, h.units), '{}') from held h
          where h.type is not distinct from n.type) as usages from counted n order by n.type nulls first`,
      [projectId, userId ?? null],
    );
  }

  /** Makes every wish true, or none. Throws `conflict` for lost races and lack of room, `invalid` for what can never be. */
  write(wishes: readonly ConsumerWish[]): Promise<void> {
    return this.db.tx((tx) => writeAllocations(tx, wishes));
  }

  /** Returns whether the consumer held anything. */
  remove(consumerId: string): Promise<boolean> {
    return this.db.tx(async (tx) => {
      // Its pair's row before its own, as in all that write both; whoever holds something has one.
      await tx.exec('select 1 from consumer_fence where consumer_id = $1 for update', [consumerId]);
      const known = await tx.one('select 1 from consumer where id = $1 for update', [consumerId]);
      if (!known) return false;
      await writeAllocations(tx, [
        {
          consumerId,
          projectId: undefined,
          userId: undefined,
          type: undefined,
          generation: undefined,
          allocations: [],
        },
      ]);
      return true;
    });
  }
}

interface HeldRow {
  readonly provider_id: string;
  readonly class: string;
  readonly amount: number;
}
/** The row that a claim locks too, so that the two never write one consumer at once. The pair stays what it was. */
const LOCK_CONSUMERS = `insert into consumer_fence (consumer_id, fence, seq) select id, 0, 0 from unnest($1::uuid[]) as u (id)
  on conflict (consumer_id) do update set at = now()`;
const DELETE = 'delete from allocation where consumer_id = any ($1) returning provider_id, class, amount';

/**
 * Keeps others from the consumers, from the providers that they hold or shall hold something of, and from the given ones, in
 * the order in which all do that. Returns the providers.
 */
export async function lockBooks(
  tx: Tx,
  wishes: readonly ConsumerWish[],
  more: readonly string[] = [],
): Promise<Map<string, ProviderRow>> {
  const ids = wishes.map((wish) => wish.consumerId);
  await tx.exec(LOCK_CONSUMERS, [[...ids].sort()]);
  const before = await tx.query<{ id: string }>(
    'select distinct provider_id as id from allocation where consumer_id = any ($1)',
    [ids],
  );
  const taken = wishes.flatMap((wish) => wish.allocations.map((each) => each.providerId));
  return lockProviders(tx, [...before.map((row) => row.id), ...taken, ...more]);
}

/** The same within a transaction of the caller's. */
export async function writeAllocations(tx: Tx, wishes: readonly ConsumerWish[]): Promise<void> {
  const ids = wishes.map((wish) => wish.consumerId);
  if (new Set(ids).size !== ids.length) throw fail.invalid('A consumer appears twice.');
  const providers = await lockBooks(tx, wishes);
  for (const wish of wishes) await writeConsumer(tx, wish);
  const taken = wishes.flatMap((wish) => wish.allocations);
  const deltas = new Deltas();
  // What is really deleted counts: a release may have come in between.
  for (const row of await tx.query<HeldRow>(DELETE, [ids])) deltas.add(row.provider_id, row.class, -row.amount);
  for (const each of taken) {
    checkProvider(providers.get(each.providerId), each);
    for (const [name, amount] of Object.entries(each.resources)) deltas.add(each.providerId, name, amount);
  }
  for (const [id, delta] of deltas.byProvider) {
    const row = providers.get(id);
    if (!row) throw fail.conflict('The allocations of a consumer were changed meanwhile.', CONCURRENT);
    await writeUsed(tx, row, delta);
  }
  await insertAllocations(tx, wishes);
  await tx.exec(
    'delete from consumer c where id = any ($1) and not exists (select from allocation a where a.consumer_id = c.id)',
    [ids],
  );
}

async function writeConsumer(tx: Tx, wish: ConsumerWish): Promise<void> {
  const known = await tx.one<{ generation: number }>('select generation from consumer where id = $1 for update', [
    wish.consumerId,
  ]);
  if (wish.generation !== undefined && (known?.generation ?? null) !== wish.generation)
    throw consumerConflict(wish, known?.generation);
  if (known) {
    await tx.exec(
      `update consumer set project_id = coalesce($2, project_id), user_id = coalesce($3, user_id), type = coalesce($4, type),
         generation = generation + 1, updated_at = now() where id = $1`,
      [wish.consumerId, wish.projectId, wish.userId, wish.type],
    );
    return;
  }
  if (!wish.allocations.length) return;
  const created = await tx.exec(
    `insert into consumer (id, project_id, user_id, type, generation) values ($1, $2, $3, $4, 1) on conflict do nothing`,
    [wish.consumerId, wish.projectId ?? UNKNOWN_OWNER, wish.userId ?? UNKNOWN_OWNER, wish.type],
  );
  if (!created) throw consumerConflict(wish, 0);
}

const consumerConflict = (wish: ConsumerWish, known: number | undefined): Error =>
  fail.conflict(
    `consumer generation conflict - expected ${known === undefined ? 'null' : known} but got ${wish.generation ?? 'None'}`,
    CONCURRENT,
  );

async function lockProviders(tx: Tx, ids: readonly string[]): Promise<Map<string, ProviderRow>> {
  const rows = await tx.query<ProviderRow>(
    `select ${PROVIDER_COLUMNS} from provider p where id = any ($1) order by id for no key update`,
    [[...new Set(ids)]],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

const UNABLE = 'Unable to allocate inventory: ';
const refusal = ({ id }: ProviderRow, name: string, would: string): string =>
  `${UNABLE}Unable to create allocation for '${name}' on resource provider '${id}'. The requested amount would ${would}.`;

function checkProvider(row: ProviderRow | undefined, wish: ConsumerWish['allocations'][number]): void {
  if (!row) throw fail.invalid(`Allocation for resource provider '${wish.providerId}' that does not exist.`);
  for (const [name, amount] of Object.entries(wish.resources)) {
    const inventory = row.inventories[name];
    if (!inventory) throw fail.conflict(`${UNABLE}Inventory for '${name}' on resource provider '${row.id}' invalid.`);
    if (!unitsFit(inventory, amount)) throw fail.conflict(refusal(row, name, 'violate inventory constraints'));
  }
}

/** What a write changes, by provider and class. */
class Deltas {
  readonly byProvider = new Map<string, Record<string, number>>();

  add(providerId: string, resourceClass: string, amount: number): void {
    const delta = this.byProvider.get(providerId) ?? {};
    delta[resourceClass] = (delta[resourceClass] ?? 0) + amount;
    this.byProvider.set(providerId, delta);
  }
}

async function writeUsed(tx: Tx, row: ProviderRow, delta: Amounts): Promise<void> {
  for (const [name, amount] of Object.entries(delta)) {
    const inventory = row.inventories[name];
    // What grows must go in; the sum of several shares may well be more than one may take at once.
    const free = inventory && { ...inventory, min_unit: 1, max_unit: Number.MAX_SAFE_INTEGER, step_size: 1 };
    if (amount > 0 && !fits(free, row.used[name] ?? 0, amount)) {
      throw fail.conflict(refusal(row, name, 'exceed the capacity'));
    }
  }
  await tx.exec(
    `update provider set used = placement_add(used, $2), generation = generation + 1, changed = pg_current_xact_id() where id = $1`,
    [row.id, JSON.stringify(delta)],
  );
}

async function insertAllocations(tx: Tx, wishes: readonly ConsumerWish[]): Promise<void> {
  const rows = wishes.flatMap(({ consumerId, allocations }) =>
    allocations.flatMap(({ providerId, resources }) =>
      Object.entries(resources).map(([name, amount]) => [consumerId, providerId, name, amount] as const),
    ),
  );
  if (!rows.length) return;
  await tx.exec(
    `insert into allocation (consumer_id, provider_id, class, amount)
     select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[])`,
    [0, 1, 2, 3].map((column) => rows.map((row) => row[column])),
  );
}
