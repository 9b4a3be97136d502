/**
 * Claims for servers. The check and the taking are one conditional write of one row, so that no number of concurrent
 * claimers can take more than there is. Each consumer's calls carry a (fence, seq): an older pair is refused, the latest
 * one is answered as it was the first time, whatever has happened to the consumer since.
 */
import { currentContext, fail } from '#libs/kernel';
import { type Db, isViolation, type Tx } from '#libs/platform/db';
import { type Amounts, type GroupRule, maxSeats } from '#services/placement/domain';

export interface Pair {
  readonly fence: number;
  readonly seq: number;
}

export interface ClaimedNode {
  readonly id: string;
  readonly name: string;
}

/** What a claim was answered, as it is kept beside the pair. */
export type ClaimAnswer =
  | { readonly claimed: ClaimedNode; readonly alternates: readonly string[] }
  | {
      readonly rejections: readonly { readonly id: string; readonly name: string; readonly reason: string }[];
      /** All of them, counted; '' in answers from before there was one. */
      readonly summary?: string;
    };

export interface ClaimWish {
  readonly consumerId: string;
  readonly projectId: string;
  readonly userId: string;
  readonly resources: Amounts;
  /** Its group; a consumer that has one keeps it where none is given. */
  readonly group?: GroupRule;
}

/** What a provider has after a write of ours. */
export interface UsedState {
  readonly id: string;
  readonly generation: number;
  readonly used: Amounts;
}

const GUARD = {
  name: 'placement.guard',
  text: `insert into consumer_fence as f (consumer_id, fence, seq) values ($1, $2, $3)
    on conflict (consumer_id) do update set fence = $2, seq = $3, answer = null, at = now() where (f.fence, f.seq) < ($2, $3)
    returning exists (select from allocation a where a.consumer_id = $1) as holds,
      (select c.group_id from consumer c where c.id = $1) as "groupId"`,
};
const LOCK_GROUP = {
  name: 'placement.lock_group',
  text: 'insert into claim_group (id) values ($1) on conflict (id) do update set at = now()',
};
const SEATS = {
  name: 'placement.seats',
  text: `select q.root_id as id, count(distinct c.id) as seats
    from consumer c join allocation a on a.consumer_id = c.id join provider q on q.id = a.provider_id
   where c.group_id = $1 and c.id <> $2 group by 1`,
};
const HELD = {
  name: 'placement.held',
  text: `select fence, seq, answer from consumer_fence where consumer_id = $1`,
};
/**
 * $1 consumer, $2 provider, $3 resources, $4 project, $5 user, $6 answer, $7 request id, $8 detail, $9: it had as much
 * before, so there is nothing to check, $10 group, $11 how many of it may share a node, $12: all of it are on one node.
 */
const CLAIM = {
  name: 'placement.claim',
  text: `with taken as (
      update provider p set used = placement_add(p.used, $3), generation = p.generation + 1, changed = pg_current_xact_id()
       where p.id = $2 and p.is_node and ($9 or (p.disabled_reason is null and placement_fits(p.inventories, p.used, $3)
               and ($10::uuid is null or placement_group_allows($10, $1, p.root_id, $11, $12))))
         and not exists (select from allocation a where a.consumer_id = $1)
      returning p.id, p.generation, p.used
    ), holder as (
      insert into consumer (id, project_id, user_id, type, generation, group_id) select $1, $4, $5, 'INSTANCE', 1, $10 from taken
      on conflict (id) do update set project_id = $4, user_id = $5, group_id = $10, generation = consumer.generation + 1, updated_at = now()
    ), parts as (
      insert into allocation (consumer_id, provider_id, class, amount)
      select $1, t.id, w.class, w.amount::bigint from taken t, jsonb_each_text($3) as w (class, amount)
    ), answered as (
      update consumer_fence f set answer = $6 from taken where f.consumer_id = $1
    ), noted as (
      insert into event (consumer_id, provider_id, request_id, what, outcome, detail) select $1, id, $7, 'claim', 'ok', $8 from taken
    )
    select id, generation, used from taken`,
};
/**
 * The whole of it in one statement, for a consumer that was never heard of and has no group: the nearly always. $1 consumer,
 * $2 provider, $3 resources, $4 project, $5 user, $6 answer, $7 request id, $8 detail, $9 fence, $10 seq. The fence's row comes
 * before the provider's, as in all that write both.
 */
const CLAIM_FRESH = {
  name: 'placement.claim_fresh',
  text: `with guard as (
      insert into consumer_fence (consumer_id, fence, seq, answer) values ($1, $9, $10, $6) on conflict do nothing returning consumer_id
    ), taken as (
      update provider p set used = placement_add(p.used, $3), generation = p.generation + 1, changed = pg_current_xact_id()
        from guard
       where p.id = $2 and p.is_node and p.disabled_reason is null and placement_fits(p.inventories, p.used, $3)
         and not exists (select from consumer c where c.id = $1)
      returning p.id, p.generation, p.used
    ), holder as (
      insert into consumer (id, project_id, user_id, type, generation) select $1, $4, $5, 'INSTANCE', 1 from taken
    ), parts as (
      insert into allocation (consumer_id, provider_id, class, amount)
      select $1, t.id, w.class, w.amount::bigint from taken t, jsonb_each_text($3) as w (class, amount)
    ), noted as (
      insert into event (consumer_id, provider_id, request_id, what, outcome, detail) select $1, id, $7, 'claim', 'ok', $8 from taken
    )
    select t.id, t.generation, t.used from guard left join taken t on true
     where case when t.id is null then placement_no_room() else true end`,
};
const RELEASE = {
  name: 'placement.release',
  text: `with gone as (
      delete from allocation where consumer_id = $1 returning provider_id, class, amount
    ), per as (
      select provider_id, jsonb_object_agg(class, -amount) as delta from gone group by provider_id
    ), freed as (
      update provider p set used = placement_add(p.used, per.delta), generation = p.generation + 1, changed = pg_current_xact_id()
        from per where p.id = per.provider_id returning p.id, p.generation, p.used
    ), noted as (
      insert into event (consumer_id, provider_id, request_id, what, outcome) select $1, id, $2, 'release', 'ok' from freed
    ), holder as (
      delete from consumer where id = $1
    )
    select id, generation, used from freed`,
};

export class ClaimRepo {
  constructor(private readonly db: Db) {}

  /**
   * Takes all from one provider in one statement. Undefined: there is not enough room any more, or the consumer has been
   * heard of before; nothing has changed then.
   */
  async takeFresh(
    wish: ClaimWish,
    { fence, seq }: Pair,
    node: ClaimedNode,
    alternates: readonly string[],
  ): Promise<UsedState | undefined> {
    const { consumerId, resources, projectId, userId } = wish;
    const answer: ClaimAnswer = { claimed: node, alternates };
    const params = [consumerId, node.id, JSON.stringify(resources), projectId, userId, JSON.stringify(answer)];
    try {
      return await this.db.one<UsedState>(CLAIM_FRESH, [
        ...[...params, requestId(), detailOf(node, resources), fence, seq],
      ]);
    } catch (error) {
      if (isViolation(error, 'check', 'placement_no_room')) return undefined;
      throw error;
    }
  }

  /**
   * Runs the closure as the consumer's call with that pair; a repeated call gets the recorded answer instead. What the
   * closure throws undoes the call altogether, its pair included. It must do nothing outside this transaction: waiting
   * for another connection while holding this one is how pools come to a standstill.
   */
  guarded<T>(
    consumerId: string,
    pair: Pair,
    fresh: (claim: GuardedClaim) => Promise<T>,
    repeated: (answer: ClaimAnswer | null) => T,
  ): Promise<T> {
    return this.db.tx(async (tx) => {
      const guard = await tx.one<{ holds: boolean; groupId: string | null }>(GUARD, [
        ...[consumerId, pair.fence, pair.seq],
      ]);
      if (guard) return fresh(new GuardedClaim(tx, consumerId, guard.holds, guard.groupId));
      const held = await tx.one<Pair & { answer: ClaimAnswer | null }>(HELD, [consumerId]);
      if (held?.fence === pair.fence && held.seq === pair.seq) return repeated(held.answer);
      throw fail.fenced(
        `consumer ${consumerId} has seen ${held?.fence}/${held?.seq}, this is ${pair.fence}/${pair.seq}`,
      );
    });
  }
}

/** One consumer's call, its pair recorded and its row locked until the transaction ends. */
export class GuardedClaim {
  constructor(
    private readonly tx: Tx,
    private readonly consumerId: string,
    /** It holds something already. */
    readonly holds: boolean,
    private readonly groupId: string | null,
  ) {}

  /** Waits for its turn in the group, and tells how many others of it each node holds: so until the transaction ends. */
  async seats(group: GroupRule): Promise<ReadonlyMap<string, number>> {
    await this.tx.exec(LOCK_GROUP, [group.id]);
    const rows = await this.tx.query<{ id: string; seats: number }>(SEATS, [group.id, this.consumerId]);
    return new Map(rows.map(({ id, seats }) => [id, seats]));
  }

  /** Where it holds what, in no particular order. */
  async held(): Promise<{ providerId: string; name: string; resources: Amounts }[]> {
    return this.tx.query(
      `select a.provider_id as "providerId", p.name, jsonb_object_agg(a.class, a.amount) as resources
         from allocation a join provider p on p.id = a.provider_id where a.consumer_id = $1 group by a.provider_id, p.name`,
      [this.consumerId],
    );
  }

  /** Whoever writes more than one provider locks them first, in the order that all do. */
  async lock(providerIds: readonly string[]): Promise<void> {
    await this.tx.exec('select 1 from provider where id = any ($1) order by id for no key update', [providerIds]);
  }

  /** Takes it all from one provider, or nothing: undefined when there is not enough room any more. */
  take(wish: ClaimWish, node: ClaimedNode, alternates: readonly string[]): Promise<UsedState | undefined> {
    return this.#take(wish, node, alternates, false);
  }

  /** Takes back what the consumer has just released, or less of it: always possible. */
  takeBack(wish: ClaimWish, node: ClaimedNode): Promise<UsedState | undefined> {
    return this.#take(wish, node, [], true);
  }

  #take(
    wish: ClaimWish,
    node: ClaimedNode,
    alternates: readonly string[],
    unchecked: boolean,
  ): Promise<UsedState | undefined> {
    const answer: ClaimAnswer = { claimed: node, alternates };
    return this.tx.one<UsedState>(CLAIM, [
      ...[this.consumerId, node.id, JSON.stringify(wish.resources), wish.projectId, wish.userId],
      ...[JSON.stringify(answer), requestId(), detailOf(node, wish.resources), unchecked],
      ...[wish.group?.id ?? this.groupId, mostOf(wish.group), wish.group?.policy === 'affinity'],
    ]);
  }

  /** Records an answer that took nothing. */
  async answer(answer: ClaimAnswer, outcome: 'ok' | 'refused', detail: string): Promise<void> {
    await this.tx.exec('update consumer_fence set answer = $2 where consumer_id = $1', [
      this.consumerId,
      JSON.stringify(answer),
    ]);
    await this.tx.exec(
      `insert into event (consumer_id, request_id, what, outcome, detail) values ($1, $2, 'claim', $3, $4)`,
      [...[this.consumerId, requestId(), outcome, detail]],
    );
  }

  /** Gives back all it holds; nothing where it holds nothing. */
  release(): Promise<UsedState[]> {
    return this.tx.query<UsedState>(RELEASE, [this.consumerId, requestId()]);
  }

  /** Releases first and runs the closure; when that yields undefined, everything it held is held again. */
  async insteadOfHeld<T>(closure: () => Promise<T | undefined>): Promise<{ value: T | undefined; freed: UsedState[] }> {
    await this.tx.exec('savepoint held');
    const freed = await this.release();
    const value = await closure();
    if (value !== undefined) return { value, freed };
    await this.tx.exec('rollback to savepoint held');
    return { value, freed: [] };
  }
}

const detailOf = (node: ClaimedNode, resources: Amounts): string =>
  `${node.name}: ${Object.entries(resources)
    .map(([name, amount]) => `${name} ${amount}`)
    .join(', ')}`;

const mostOf = (group: GroupRule | undefined): number | null =>
  group?.policy === 'anti-affinity' ? maxSeats(group) : null;

const requestId = (): string => currentContext()?.requestId ?? '';
