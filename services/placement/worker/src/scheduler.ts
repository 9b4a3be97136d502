/**
 * Chooses and claims. The choice is made over the snapshot in memory, which may be a moment behind; the claim decides.
 * A node that turns out to be full is followed by the next of the list, and an exhausted list by one more look at fresh
 * numbers, before anybody is told that there is no room.
 */

import type { Clock } from '#libs/kernel';
import type {
  ClaimAnswer,
  ClaimRepo,
  ClaimWish,
  GuardedClaim,
  Pair,
  SnapshotKeeper,
  UsedState,
} from '#services/placement/data';
import {
  type Amounts,
  type NodeRequest,
  Provider,
  QUIET_WORLD,
  reasonOf,
  type Selection,
  type SelectionPolicy,
  type Snapshot,
  selectNodes,
  summaryOf,
  tally,
  type World,
} from '#services/placement/domain';
import { type HeldShare, inPlace, sameAmounts } from './in-place.js';
import type { Pulses } from './pulses.js';

export interface ServerRequest extends NodeRequest {
  readonly consumerId: string;
  readonly pair: Pair;
  readonly projectId: string;
  readonly userId: string;
  /** The consumer stays on the node it holds. */
  readonly inPlace?: boolean;
}

export interface SchedulerParts {
  readonly claims: ClaimRepo;
  readonly keeper: SnapshotKeeper;
  readonly pulses: Pick<Pulses, 'current'>;
  readonly policy?: SelectionPolicy;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Claims look at numbers that are at most this old, unless they have to look again. */
const STALE_MS = 250;
/** Looks at fresh numbers before a request is refused. */
const LOOKS = 3;
/** So many nodes are named in a refusal; a cloud of thousands has no more reasons than that worth reading. */
const MAX_REASONS = 200;

export class Scheduler {
  constructor(private readonly parts: SchedulerParts) {}

  /** Chooses a node and claims it for the consumer; a claim that it holds moves, or stays where it cannot. */
  async claim(request: ServerRequest): Promise<ClaimAnswer> {
    let snapshot = await this.parts.keeper.fresh(STALE_MS);
    const { policy, random, clock } = this.parts;
    const world = { ...QUIET_WORLD, pulses: await this.parts.pulses.current(), now: clock.now() };
    const choosing = { random, world, ...(policy ? { policy } : {}) };
    const quick = await this.#quick(request, snapshot, choosing);
    if (quick) return quick;
    for (let look = 1; ; look += 1) {
      const attempt = new Attempt(request, snapshot, choosing, look);
      try {
        const answer = await this.parts.claims.guarded(
          request.consumerId,
          request.pair,
          (claim) => attempt.run(claim),
          (recorded) => recorded ?? { rejections: [], summary: '' },
        );
        this.learn(attempt.written);
        return answer;
      } catch (error) {
        if (!(error instanceof LookAgain)) throw error;
        snapshot = await this.parts.keeper.fresh();
      }
    }
  }

  /** The first claim of most servers: one node, one statement. Whatever is not so simple goes the long way. */
  async #quick(request: ServerRequest, snapshot: Snapshot, choosing: Choosing): Promise<ClaimAnswer | undefined> {
    if (request.group || request.inPlace) return undefined;
    const { ranked } = selectNodes(snapshot, request, choosing);
    const [best, ...others] = ranked;
    if (!best) return undefined;
    const claimed = { id: best.id, name: best.name };
    const alternates = others.map(({ name }) => name);
    const state = await this.parts.claims.takeFresh(request, request.pair, claimed, alternates);
    if (!state) return undefined;
    this.learn([state]);
    return { claimed, alternates };
  }

  /** Gives back everything; nothing where nothing is held. */
  async release(consumerId: string, pair: Pair): Promise<void> {
    const freed = await this.parts.claims.guarded(
      consumerId,
      pair,
      (claim) => claim.release(),
      () => [],
    );
    this.learn(freed);
  }

  private learn(states: readonly UsedState[]): void {
    for (const state of states) this.parts.keeper.used(state.id, state.generation, state.used);
  }
}

type Refused = Extract<ClaimAnswer, { rejections: unknown }>;

interface Choosing {
  readonly random: () => number;
  readonly policy?: SelectionPolicy;
  readonly world: World;
}

/** Nothing of the list could be had; the numbers may have been old. Undoes the attempt. */
class LookAgain extends Error {}

/** One transaction's worth of choosing and claiming over one snapshot. */
class Attempt {
  /** What it has changed, once it is committed. */
  readonly written: UsedState[] = [];
  #world: World;

  constructor(
    private readonly request: ServerRequest,
    private readonly snapshot: Snapshot,
    private readonly choosing: Choosing,
    /** The first look is at numbers that may be old. */
    private readonly look: number,
  ) {
    this.#world = choosing.world;
  }

  async run(claim: GuardedClaim): Promise<ClaimAnswer> {
    this.written.length = 0;
    const { group } = this.request;
    this.#world = { ...this.choosing.world, seats: group ? await claim.seats(group) : QUIET_WORLD.seats };
    if (!claim.holds && !this.request.inPlace) return this.takeOne(claim, this.select(this.snapshot, this.request));
    const held = await claim.held();
    const without = this.snapshot.with(
      held.flatMap(({ providerId, resources }) => freed(this.snapshot, providerId, resources)),
    );
    if (this.request.inPlace) return this.changeInPlace(claim, held, without);
    const stays = this.stays(held, without);
    if (stays) {
      await claim.answer(stays, 'ok', 'stays where it is');
      return stays;
    }
    const selection = this.select(without, this.request);
    await claim.lock([...held.map((share) => share.providerId), ...selection.ranked.map((provider) => provider.id)]);
    let refusal: ClaimAnswer = { rejections: [], summary: '' };
    const moved = await claim.insteadOfHeld(async () => {
      const answer = await this.takeOne(claim, selection);
      if ('claimed' in answer) return answer;
      refusal = answer;
      return undefined;
    });
    this.written.unshift(...moved.freed);
    if (moved.value) return moved.value;
    await claim.answer(refusal, 'refused', 'stays where it was');
    return refusal;
  }

  private async changeInPlace(
    claim: GuardedClaim,
    held: readonly HeldShare[],
    without: Snapshot,
  ): Promise<ClaimAnswer> {
    const change = inPlace(this.request, held, without);
    if ('refusal' in change) return this.refuse(claim, change.refusal);
    const { id, name } = change.node;
    const answer: ClaimAnswer = { claimed: change.node, alternates: [] };
    if (change.kind === 'same') {
      await claim.answer(answer, 'ok', 'stays where it is');
      return answer;
    }
    const take = () =>
      change.kind === 'less' ? claim.takeBack(this.request, change.node) : claim.take(this.request, change.node, []);
    const moved = await claim.insteadOfHeld(take);
    if (!moved.value)
      return this.refuse(claim, { rejections: [{ id, name, reason: TAKEN }], summary: `1 node ${TAKEN}` });
    this.written.push(...moved.freed, moved.value);
    return answer;
  }

  /** The numbers may have been old: a first refusal makes it look again. */
  private async refuse(claim: GuardedClaim, refusal: Refused): Promise<ClaimAnswer> {
    if (this.look === 1) throw new LookAgain();
    await claim.answer(refusal, 'refused', 'stays as it was');
    return refusal;
  }

  /** A consumer that holds just what it asks for, where it may be, keeps it: its first answer was lost on the way. */
  private stays(held: readonly HeldShare[], without: Snapshot): ClaimAnswer | undefined {
    const [share, ...more] = held;
    if (!share || more.length || !sameAmounts(share.resources, this.request.resources)) return undefined;
    const { providerId: id, name } = share;
    if (this.request.onlyName && this.request.onlyName !== name) return undefined;
    const { ranked } = this.select(without, { ...this.request, onlyName: name });
    return ranked.length ? { claimed: { id, name }, alternates: [] } : undefined;
  }

  private async takeOne(claim: GuardedClaim, selection: Selection): Promise<ClaimAnswer> {
    const taken = await takeFirst(claim, this.request, selection.ranked, this.written);
    if (taken) return taken;
    const settled = this.look === LOOKS || (this.look > 1 && !selection.ranked.length);
    if (!settled) throw new LookAgain();
    const answer = refusalOf(selection, this.request);
    await claim.answer(answer, 'refused', refusalText(answer));
    return answer;
  }

  private select(snapshot: Snapshot, request: NodeRequest): Selection {
    return selectNodes(snapshot, request, { ...this.choosing, world: this.#world });
  }
}

/** The provider as it would be without the share. */
function freed(snapshot: Snapshot, id: string, share: Amounts): Provider[] {
  const known = snapshot.find(id);
  if (!known) return [];
  const { used } = known.facts;
  const less = Object.fromEntries(Object.entries(used).map(([name, units]) => [name, units - (share[name] ?? 0)]));
  return [new Provider({ ...known.facts, used: less })];
}

async function takeFirst(
  claim: GuardedClaim,
  request: ServerRequest,
  ranked: readonly Provider[],
  written: UsedState[],
): Promise<ClaimAnswer | undefined> {
  const wish: ClaimWish = request;
  for (const [index, provider] of ranked.entries()) {
    const alternates = ranked.slice(index + 1).map((other) => other.name);
    const claimed = { id: provider.id, name: provider.name };
    const state = await claim.take(wish, claimed, alternates);
    if (!state) continue;
    written.push(state);
    return { claimed, alternates };
  }
  return undefined;
}

const TAKEN = 'was taken by others at the same moment';
const TAKEN_ALL = 'had room, which others took at the same moment';

function refusalOf({ ranked, rejections }: Selection, request: NodeRequest): Refused {
  const list = [
    ...ranked.map(({ id, name }) => ({ id, name, reason: TAKEN })),
    ...rejections.map(({ provider: { id, name }, refusal }) => ({ id, name, reason: reasonOf(refusal) })),
  ];
  // Those that were tried before are named with what went wrong there, by whoever tried them.
  const others = rejections.filter(({ filter }) => filter !== 'tried');
  const taken = ranked.length ? [{ filter: 'taken', nodes: ranked.length, text: TAKEN_ALL }] : [];
  const tallies = [...taken, ...tally(others, request.resources)];
  const summary = tallies.length || !list.length ? summaryOf(tallies) : 'There are no others';
  return { rejections: list.slice(0, MAX_REASONS), summary };
}

/** For the operator: the counts, and each node on a line of its own. */
const refusalText = ({ rejections, summary }: Refused): string =>
  [summary, ...rejections.map(({ name, reason }) => `${name}: ${reason}`)].join('\n');
