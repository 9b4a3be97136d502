/**
 * Tells compute of servers whose ports have changed. The rows are the truth, the wake-up carries nothing, and what compute
 * could not take is told again: it asks for the ports itself, so that one call is as good as many.
 */
import { isFailure } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { type NetworkBooks, SERVER_NEWS_CHANNEL } from '#services/network/data';

/** Compute, as far as it is told. */
export interface NewsReader {
  networkChanged(request: { serverIds: string[] }): Promise<unknown>;
}

const AT_ONCE = 100;
const SCAN_MS = 5_000;

export class ServerNewsRelay {
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<void> | undefined;
  #again = false;
  #unlisten: (() => void) | undefined;

  constructor(
    private readonly books: Pick<NetworkBooks, 'db' | 'serverNews'>,
    private readonly compute: NewsReader,
    private readonly log: Log,
  ) {}

  async start(): Promise<void> {
    this.#unlisten = await this.books.db.listen(SERVER_NEWS_CHANNEL, () => this.#wake());
    this.#timer = setInterval(() => this.#wake(), SCAN_MS);
    this.#wake();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#unlisten?.();
    this.#again = false;
    await this.#telling;
  }

  #wake(): void {
    this.#again = true;
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined;
    });
  }

  async #tellAll(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        if (await this.#tellSome()) this.#again = true;
      }
    } catch (error) {
      const away = isFailure(error, 'unavailable');
      this.log[away ? 'debug' : 'warn']({ err: error }, 'compute is told of changed ports later');
    }
  }

  /** True where there may be more. */
  async #tellSome(): Promise<boolean> {
    const { db, serverNews } = this.books;
    const news = await serverNews.due(db, AT_ONCE);
    if (news.length === 0) return false;
    await this.compute.networkChanged({ serverIds: news.map(({ serverId }) => serverId) });
    await serverNews.settle(db, news);
    return news.length === AT_ONCE;
  }
}
