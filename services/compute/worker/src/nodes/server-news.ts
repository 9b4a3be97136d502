/**
 * Has nodes fetch anew what guests are told of themselves, where that has changed without a command: addresses, floating
 * IPs, groups, names, items of metadata. The number in the row is the truth and the command only a wake: whoever has not
 * said that it has the news is woken again.
 */
import type { Db } from '#libs/platform/db';
import { SERVER_NEWS_CHANNEL, type ServerNodeRepo } from '#services/compute/data';
import type { SendCommand } from '../peers.js';

/** Nodes that do not answer do not fill the bus. */
const AT_ONCE = 500;

export class ServerNews {
  #unlisten: (() => void) | undefined;
  #working: Promise<void> | undefined;
  #again = false;

  constructor(
    private readonly db: Db,
    private readonly aims: ServerNodeRepo,
    private readonly send: SendCommand,
  ) {}

  async start(): Promise<void> {
    this.#unlisten = await this.db.listen(SERVER_NEWS_CHANNEL, () => void this.scan().catch(() => undefined));
  }

  async stop(): Promise<void> {
    this.#unlisten?.();
    await this.#working?.catch(() => undefined);
  }

  /** Wakes the nodes that have something to fetch. What the bus does not take is left to the next scan. */
  scan(): Promise<void> {
    this.#again = true;
    this.#working ??= this.#wakeAll().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #wakeAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const stale = await this.aims.stale(this.db, AT_ONCE);
      await Promise.all(stale.map(({ serverId, node }) => this.#wake(serverId, node)));
    }
  }

  async #wake(serverId: string, node: string): Promise<void> {
    await this.send(node, { type: 'refresh', serverId }).catch(() => undefined);
  }
}
