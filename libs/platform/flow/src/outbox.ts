/**
 * Messages that leave with a transaction: written as rows, published after the commit, deleted once the broker has
 * confirmed. A message may therefore arrive twice; it only ever wakes.
 */
import { type Clock, currentContext, delay } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { OUTBOX_CHANNEL } from './tasks.js';

export interface OutboxMessage {
  readonly id: number;
  readonly topic: string;
  readonly body: unknown;
  readonly requestId: string;
}

/** Publishes a batch; resolves when the broker has confirmed each message, rejects soon when it can not. */
export type Publish = (messages: readonly OutboxMessage[]) => Promise<void>;

/** Queues a message in the caller's transaction. After `expiresInMs` it is dropped unsent. Body is JSON, without secrets. */
export async function enqueue(tx: Tx, message: { topic: string; body: unknown; expiresInMs?: number }): Promise<void> {
  await tx.exec(
    {
      name: 'flow.enqueue',
      text: `insert into outbox (topic, body, request_id, expires_at) values ($1, $2, $3, now() + $4::int * interval '1 ms')`,
    },
    [message.topic, JSON.stringify(message.body), currentContext()?.requestId ?? '', message.expiresInMs ?? null],
  );
  tx.notify(OUTBOX_CHANNEL);
}

const BATCH = 200;
const SCAN_MS = 2_000;

const TAKE = {
  name: 'flow.outbox_take',
  text: `delete from outbox where id in (select id from outbox order by id limit ${BATCH} for update skip locked)
    returning id, topic, body, request_id as "requestId", coalesce(expires_at <= now(), false) as expired`,
};

export class OutboxRelay {
  private readonly stopped = new AbortController();
  private running: Promise<void> | undefined;
  private poke: () => void = () => undefined;
  private again = false;
  private unlisten: (() => void) | undefined;

  constructor(
    private readonly db: Db,
    private readonly publish: Publish,
    private readonly onTrouble: (error: unknown) => void = () => undefined,
  ) {}

  async start(): Promise<void> {
    this.unlisten = await this.db.listen(OUTBOX_CHANNEL, () => {
      this.again = true;
      this.poke();
    });
    this.running = this.loop();
  }

  async stop(): Promise<void> {
    this.unlisten?.();
    this.stopped.abort();
    this.poke();
    await this.running;
  }

  private async loop(): Promise<void> {
    for (let failures = 0; !this.stopped.signal.aborted; ) {
      this.again = false;
      try {
        while ((await this.relay()) === BATCH && !this.stopped.signal.aborted);
        failures = 0;
        if (!this.again && !this.stopped.signal.aborted) await this.pause(SCAN_MS);
      } catch (error) {
        this.onTrouble(error);
        failures += 1;
        await delay(Math.min(5_000, 100 * 2 ** failures), this.stopped.signal);
      }
    }
  }

  /** The rows are gone only if the broker has them: the delete commits after its confirmation. */
  private relay(): Promise<number> {
    return this.db.tx(async (tx) => {
      const rows = await tx.query<OutboxMessage & { expired: boolean }>(TAKE);
      const fresh = rows.filter((row) => !row.expired).sort((a, b) => a.id - b.id);
      if (fresh.length) await this.publish(fresh);
      return rows.length;
    });
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.poke = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** How many messages wait, and how long the oldest has. */
export async function outboxStatus(db: Db, clock: Clock): Promise<{ waiting: number; oldestMs: number }> {
  const row = await db.one<{ waiting: number; oldest: Date | null }>(
    'select count(*) as waiting, min(created_at) as oldest from outbox',
  );
  return { waiting: row?.waiting ?? 0, oldestMs: row?.oldest ? clock.now().getTime() - row.oldest.getTime() : 0 };
}
