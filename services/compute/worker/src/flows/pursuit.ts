/**
 * Bringing a node to a desired state: the command is sent, sent again with growing pauses as long as the node says
 * nothing (messages may be lost), and the node's reports are read. A look says what is known, or throws `NotYet`; after
 * the first command it listens for a moment, for many nodes answer at once.
 *
 * What was sent when is remembered in this process only: whoever takes over sends once more, which the node answers with
 * its recorded result.
 */
import type { Sql } from '#libs/platform/db';
import { NotYet, Owed } from '#libs/platform/flow';
import type { Aim, Pair, ServerNodeRepo } from '#services/compute/data';
import type { ServerReport } from '#services/compute/domain';
import type { Hearing } from '../nodes/hearing.js';
import type { SendCommand } from '../peers.js';

/** The desired state that is pursued. */
export interface Target extends Pair {
  readonly serverId: string;
  readonly node: string;
  readonly generation: number;
}

/** What came of it. */
export type Pursued =
  | { readonly state: 'done' }
  | { readonly state: 'failed'; readonly why: string }
  /** The node is down. */
  | { readonly state: 'away' };

interface Sent extends Pair {
  /** Commands that the broker took. */
  count: number;
  /** Milliseconds: of the first such command, and of the latest try. */
  first: number;
  last: number;
}

const PAUSES_MS = [1_000, 2_000, 4_000, 8_000] as const;
const LONGEST_PAUSE_MS = 10_000;
/** A node that says it is at work reports the end by itself; this is for a lost report. */
const BUSY_PAUSE_MS = 15_000;
/** A living node that has not said a word about so many commands for so long does not take them. */
const SILENT_AFTER_MS = 45_000;
const SILENT_AFTER_COMMANDS = 5;
/** The node is down, but placement has not been told yet. */
const CLOSING_MS = 500;
const REMEMBERED = 20_000;
/** How long a look listens for the answer to its first command. */
const LISTEN_MS = 150;

export class Pursuit {
  readonly #sent = new Map<string, Sent>();

  constructor(
    private readonly db: Sql,
    private readonly aims: ServerNodeRepo,
    private readonly send: SendCommand,
    private readonly hearing: Hearing,
  ) {}

  /** Looks once. Throws `NotYet` while the node has not come to an end with it. */
  async look(target: Target, now: Date): Promise<Pursued> {
    const sent = this.#remembered(target);
    if (!sent) return this.#begin(target, now);
    const aim = await this.aims.aim(this.db, target.serverId, target.node);
    if (!aim) return this.#end(target, { state: 'done' });
    const end = ended(aim, target) ?? this.#silence(aim, sent, now);
    return end ? this.#end(target, end) : this.#goOn(aim, sent, now);
  }

  /** The first command goes out without a look: what it would find is nearly always nothing. */
  async #begin(target: Target, now: Date): Promise<Pursued> {
    const report = await this.#first(target, now);
    if (!report || !isAbout(report, target) || report.outcome === 'busy') throw new NotYet(PAUSES_MS[0]);
    const { outcome, error } = report;
    return this.#end(target, outcome === 'done' ? { state: 'done' } : failure(outcome, error));
  }

  /** Sends the command once and waits for nothing: for what may as well be done later. */
  tell(target: Target, now: Date): Promise<void> {
    return this.#command(target, undefined, now);
  }

  /**
   * Sees to it that nothing of the server is left on any node that it has to leave. Throws `NotYet` while a node is at it,
   * `Owed` when only nodes that are down are left, and an Error when a node can not do it.
   */
  async clear(serverId: string, now: Date): Promise<void> {
    const aims = await this.aims.leaving(this.db, serverId);
    const [only] = aims;
    if (only && aims.length === 1 && only.nodeState === 'up' && !this.#remembered(only))
      if (await this.#first(only, now)) return this.clear(serverId, now);
    const away = aims.filter((aim) => aim.nodeState === 'down' && aim.closed);
    const failed: string[] = [];
    let pause: number | undefined;
    for (const aim of aims.filter((candidate) => !away.includes(candidate))) {
      if (aim.outcome === 'failed') failed.push(`${aim.node}: ${aim.error ?? 'failed'}`);
      const ms = await this.#clearOne(aim, now);
      pause = Math.min(pause ?? ms, ms);
    }
    if (failed.length) throw new Error(`the server can not be removed from ${failed.join('; ')}`);
    if (pause !== undefined) throw new NotYet(pause);
    if (away.length) throw new Owed(away[0]!.node, `node ${away[0]!.node} is down`);
  }

  /** Sends what is due; returns when to look again. */
  async #clearOne(aim: Aim, now: Date): Promise<number> {
    if (aim.nodeState === 'down') return CLOSING_MS;
    const sent = this.#remembered(aim);
    if (sent && aim.outcome !== 'failed') return this.#repeat(aim, sent, now);
    await this.#command(aim, undefined, now);
    return PAUSES_MS[0];
  }

  /** Sends the first command and listens. */
  #first(target: Target, now: Date): Promise<ServerReport | undefined> {
    return this.hearing.listen(target.serverId, LISTEN_MS, () => this.#command(target, undefined, now));
  }

  #remembered(target: Target): Sent | undefined {
    const sent = this.#sent.get(keyOf(target));
    return sent?.fence === target.fence && sent.seq === target.seq ? sent : undefined;
  }

  #end(target: Target, end: Pursued): Pursued {
    this.#sent.delete(keyOf(target));
    return end;
  }

  #silence(aim: Aim, sent: Sent, now: Date): Pursued | undefined {
    const ms = now.getTime() - sent.first;
    if (aim.outcome !== null || sent.count < SILENT_AFTER_COMMANDS || ms <= SILENT_AFTER_MS) return undefined;
    return { state: 'failed', why: `did not take up the command within ${Math.round(ms / 1000)} s` };
  }

  async #goOn(aim: Aim, sent: Sent, now: Date): Promise<never> {
    throw new NotYet(await this.#repeat(aim, sent, now));
  }

  /** Sends again when its time has come; returns when to look again. */
  async #repeat(aim: Aim, sent: Sent, now: Date): Promise<number> {
    const pause = aim.outcome === 'busy' ? BUSY_PAUSE_MS : pauseAfter(sent.count);
    const left = sent.last + pause - now.getTime();
    if (left > 0) return left;
    await this.#command(aim, sent, now);
    return pauseAfter(sent.count);
  }

  /** A broker that is away is no failure of the step: the command goes out again after the pause. */
  async #command(target: Target, known: Sent | undefined, now: Date): Promise<void> {
    const at = now.getTime();
    const sent = known ?? { fence: target.fence, seq: target.seq, count: 0, first: at, last: at };
    if (this.#sent.size >= REMEMBERED) this.#sent.clear();
    this.#sent.set(keyOf(target), sent);
    const { serverId, node, fence, seq, generation } = target;
    const taken = await this.send(node, { type: 'ensure', serverId, fence, seq, generation }).then(
      () => true,
      () => false,
    );
    if (taken && sent.count === 0) sent.first = at;
    if (taken) sent.count += 1;
    sent.last = at;
  }
}

const keyOf = (target: Target): string => `${target.serverId}/${target.node}`;

const pauseAfter = (count: number): number => PAUSES_MS[Math.max(0, count - 1)] ?? LONGEST_PAUSE_MS;

function ended(aim: Aim, target: Target): Pursued | undefined {
  const superseded = aim.fence > target.fence || (aim.fence === target.fence && aim.seq > target.seq);
  if (superseded || aim.outcome === 'done') return { state: 'done' };
  if (aim.outcome === 'failed' || aim.outcome === 'refused') return failure(aim.outcome, aim.error);
  return aim.nodeState === 'down' ? { state: 'away' } : undefined;
}

const failure = (outcome: 'failed' | 'refused', error: string | null): Pursued => {
  const why = outcome === 'refused' ? 'refused the command as older than one it has seen' : error;
  return { state: 'failed', why: why ?? 'failed without saying why' };
};

const isAbout = (report: ServerReport, target: Target): boolean =>
  report.node === target.node && report.fence === target.fence && report.seq === target.seq;
