/**
 * Which nodes live. Signs of life are kept in memory and written in bundles; a node that is silent for too long goes down,
 * and placement is told to give it nothing. It comes up again when it is heard and nothing is left on it that should have
 * gone: until then its debts are called in and the commands that clear it are repeated.
 *
 * Silence is judged only while the bus has been up for as long: a broken broker does not take the nodes down.
 */
import { isFailure } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { callInDebts, wakeTasks } from '#libs/platform/flow';
import type { Log } from '#libs/platform/log';
import type { HeardNode, NodeRepo, NodeStateRepo, ServerNodeRepo } from '#services/compute/data';
import { NODE_CHANNEL, OPEN } from '#services/compute/data';
import { serverKey } from '#services/compute/domain';
import type { SendCommand } from '../peers.js';
import type { ProviderSync } from './provider-sync.js';

interface Deps {
  readonly db: Db;
  readonly nodes: NodeRepo;
  readonly states: NodeStateRepo;
  readonly aims: ServerNodeRepo;
  readonly providers: ProviderSync;
  readonly send: SendCommand;
  readonly silenceMs: number;
  /** Since when the bus has been connected without a break; undefined while it is not. */
  readonly busSince: () => Date | undefined;
  readonly now: () => Date;
  readonly log: Log;
}

interface Watched {
  state: 'up' | 'down';
  forcedDown: boolean;
  lastSeen: number;
  /** Milliseconds: when it was last tried to bring it up. */
  tried: number;
  /** Placement has to be told again. */
  untold: boolean;
}

const TICK_MS = 1_000;
/** Beats are written this often. */
const FLUSH_MS = 2_000;
const REFRESH_MS = 15_000;
const RETRY_UP_MS = 2_000;
/** Placement is told again after so long even where nothing has changed. */
const RETELL_MS = 600_000;

export class NodeWatch {
  readonly #deps: Deps;
  readonly #nodes = new Map<string, Watched>();
  #heard = new Map<string, HeardNode>();
  #started = 0;
  #flushed = 0;
  #refreshed = 0;
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;
  #unlisten: (() => void) | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#started = this.#deps.now().getTime();
    this.#unlisten = await this.#deps.db.listen(NODE_CHANNEL, (name) => {
      this.#refreshed = 0;
      if (name) this.#changed(name);
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#unlisten?.();
    await this.#ticking;
    await this.#flush().catch(() => undefined);
  }

  /** A node has spoken. */
  heard(sign: HeardNode): void {
    this.#heard.set(sign.name, { ...this.#heard.get(sign.name), ...sign });
    const node = this.#nodes.get(sign.name);
    if (!node) {
      this.#refreshed = 0;
      return;
    }
    node.lastSeen = sign.at.getTime();
    if (node.state === 'down') this.tryUp(sign.name);
  }

  /** Looks whether a node may come up, unless that was done a moment ago. */
  tryUp(name: string, hurry = false): void {
    const node = this.#nodes.get(name);
    const now = this.#deps.now().getTime();
    if (!node || node.state === 'up' || node.forcedDown || (!hurry && now - node.tried < RETRY_UP_MS)) return;
    node.tried = now;
    this.#bringUp(name, node).catch((error: unknown) => this.#trouble(error, name));
  }

  /** A node has enrolled: it is known from now on, and placement hears of it. */
  async enrolled(name: string): Promise<void> {
    await this.#refresh();
    this.#markUntold(name);
    this.heard({ name, at: this.#deps.now() });
    const node = this.#nodes.get(name);
    if (node?.state === 'up') await this.#tell(name, node).catch((error: unknown) => this.#trouble(error, name));
  }

  get names(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  async #bringUp(name: string, node: Watched): Promise<void> {
    const { db, states, now, log } = this.#deps;
    const up = await db.tx(async (tx) => {
      const isUp = await states.up(tx, name, now());
      if (isUp) await callInDebts(tx, name);
      return isUp;
    });
    if (!up) return this.#repeatClearing(name);
    node.state = 'up';
    log.info({ node: name }, 'a node is up');
    await this.#tell(name, node);
  }

  async #repeatClearing(name: string): Promise<void> {
    const aims = await this.#deps.aims.onNode(this.#deps.db, name);
    for (const { serverId, fence, seq, generation } of aims.filter((aim) => aim.power === 'absent'))
      await this.#deps.send(name, { type: 'ensure', serverId, fence, seq, generation });
  }

  #tick(): void {
    this.#ticking ??= this.#round()
      .catch((error: unknown) => this.#trouble(error))
      .finally(() => {
        this.#ticking = undefined;
      });
  }

  async #round(): Promise<void> {
    const at = this.#deps.now().getTime();
    if (at - this.#flushed >= FLUSH_MS) await this.#flush();
    if (at - this.#refreshed >= REFRESH_MS) {
      await this.#refresh();
      await this.#forgetGone();
    }
    for (const [name, node] of this.#nodes) {
      const reason = this.#downReason(node, at);
      if (reason) await this.#takeDown(name, node, reason);
      else if (node.untold) await this.#tell(name, node).catch((error: unknown) => this.#trouble(error, name));
    }
  }

  #downReason(node: Watched, at: number): string | undefined {
    if (node.state === 'down') return undefined;
    if (node.forcedDown) return 'taken down by an operator';
    const since = this.#deps.busSince()?.getTime();
    if (since === undefined) return undefined;
    const silent = at - Math.max(node.lastSeen, this.#started);
    return silent > this.#deps.silenceMs && at - since > this.#deps.silenceMs
      ? `no report for ${Math.round(silent / 1000)} s`
      : undefined;
  }

  /** First the books, then placement; only after that what waits for the node may count on it. */
  async #takeDown(name: string, node: Watched, reason: string): Promise<void> {
    const { db, states, now, log } = this.#deps;
    await states.down(db, name, reason, now());
    node.state = 'down';
    node.untold = true;
    log.warn({ node: name, reason }, 'a node is down');
    await this.#tell(name, node).catch((error: unknown) => this.#trouble(error, name));
  }

  async #tell(name: string, node: Watched): Promise<void> {
    const { db, providers, aims } = this.#deps;
    await providers.sync(name);
    node.untold = false;
    if (node.state === 'up') return;
    const waiting = (await aims.onNode(db, name)).filter((aim) => aim.confirmedAt === null);
    if (waiting.length)
      await wakeTasks(
        db,
        waiting.map((aim) => serverKey(aim.serverId)),
      );
  }

  /** Takes nodes out of placement that an operator took away; what fails is tried again at the next look. */
  async #forgetGone(): Promise<void> {
    const { db, nodes, providers } = this.#deps;
    for (const name of await nodes.gone(db))
      await providers.sync(name).catch((error: unknown) => this.#trouble(error, name));
  }

  /** Whoever changed it waits for placement to hear of it. */
  #changed(name: string): void {
    const node = this.#nodes.get(name);
    if (!node) return;
    node.untold = true;
    this.#tell(name, node).catch((error: unknown) => this.#trouble(error, name));
  }

  #markUntold(name: string): void {
    const node = this.#nodes.get(name);
    if (node) node.untold = true;
  }

  async #flush(): Promise<void> {
    this.#flushed = this.#deps.now().getTime();
    if (!this.#heard.size) return;
    const signs = this.#heard;
    this.#heard = new Map();
    await this.#deps.states.heard(this.#deps.db, [...signs.values()]);
  }

  async #refresh(): Promise<void> {
    const rows = await this.#deps.states.list(this.#deps.db);
    const at = this.#deps.now().getTime();
    this.#refreshed = at;
    const present = new Set(rows.map(({ name }) => name));
    for (const name of this.#nodes.keys()) if (!present.has(name)) this.#nodes.delete(name);
    for (const row of rows) {
      const node = this.#nodes.get(row.name) ?? {
        state: row.state,
        forcedDown: false,
        lastSeen: 0,
        tried: 0,
        untold: false,
      };
      const stale = row.toldAt === null || at - row.toldAt.getTime() > RETELL_MS;
      node.state = row.state;
      node.forcedDown = row.forcedDown;
      node.lastSeen = Math.max(node.lastSeen, row.lastSeen.getTime());
      node.untold ||= stale || row.told === '' || (row.state === 'down' && row.told === OPEN);
      this.#nodes.set(row.name, node);
    }
  }

  #trouble(error: unknown, node?: string): void {
    if (isFailure(error, 'unavailable')) this.#deps.log.debug({ err: error, node }, 'nodes are looked after later');
    else this.#deps.log.error({ err: error, node }, 'looking after a node failed');
  }
}
