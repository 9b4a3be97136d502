/**
 * The bus. It only wakes: every message may be lost, doubled or reordered, and no work may depend on one.
 * Publishing waits for the broker's confirm; consuming acknowledges after the handler, and drops what fails
 * (the sender repeats itself). The connection is kept up for ever, with the topology asserted again each time.
 */
import { type Channel, type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import { currentContext, delay, fail, isRequestId, newRequestId, runInContext } from '#libs/kernel';
import type { Log } from '#libs/platform/log';

export interface Message {
  readonly body: unknown;
  readonly routingKey: string;
  /** The broker user that published it, verified by the broker; undefined when the sender did not say. */
  readonly userId: string | undefined;
  readonly requestId: string;
}

export interface Consumer {
  readonly queue: string;
  readonly prefetch?: number;
  handle(message: Message): Promise<void>;
}

export interface BusOptions {
  /** `amqp://user:password@host:port/vhost` */
  readonly url: string;
  readonly name: string;
  readonly log: Log;
  /** Declares exchanges, queues and bindings; runs on each connect. */
  topology?(channel: Channel): Promise<void>;
  readonly consumers?: readonly Consumer[];
  /** After each (re)connect, when consumers are running. */
  onConnect?(): void;
}

export interface PublishOptions {
  /** Sent as the verified user id; must be the connection's own user. */
  readonly userId?: string;
  /** Milliseconds after which the broker may drop it undelivered. */
  readonly expiresMs?: number;
}

export class Bus {
  #options: BusOptions;
  #model: ChannelModel | undefined;
  #confirm: ConfirmChannel | undefined;
  #stopped = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: BusOptions) {
    this.#options = options;
  }

  /** Starts connecting in the background; never throws. */
  start(): void {
    this.#loop ??= this.#keepConnected();
  }

  get connected(): boolean {
    return this.#confirm !== undefined;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#model?.close().catch(() => undefined);
    await this.#loop;
  }

  /** Resolves at the broker's confirm; throws `unavailable` when there is no connection or no confirm in 5 s. */
  async publish(exchange: string, routingKey: string, body: unknown, options: PublishOptions = {}): Promise<void> {
    const channel = this.#confirm;
    if (!channel) throw fail.unavailable('the message bus is not connected', { retryAfter: 1 });
    const requestId = currentContext()?.requestId ?? newRequestId();
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(
        () => reject(fail.unavailable('the message bus did not confirm', { retryAfter: 1 })),
        5_000,
      );
      const properties = {
        contentType: 'application/json',
        headers: { 'x-request-id': requestId },
        ...(options.userId ? { userId: options.userId } : {}),
        ...(options.expiresMs ? { expiration: String(options.expiresMs) } : {}),
      };
      channel.publish(exchange, routingKey, Buffer.from(JSON.stringify(body)), properties, (error) => {
        clearTimeout(late);
        if (error) reject(fail.unavailable('the message bus refused the message', { cause: error, retryAfter: 1 }));
        else resolve();
      });
    });
  }

  /** Declares something now, beside what `topology` declares on each connect. Throws `unavailable` without a connection. */
  async declare(body: (channel: Channel) => Promise<void>): Promise<void> {
    const away = (cause?: unknown) => fail.unavailable('the message bus is not connected', { cause, retryAfter: 1 });
    const channel = await this.#model?.createChannel().catch((error: unknown) => Promise.reject(away(error)));
    if (!channel) throw away();
    channel.on('error', () => undefined);
    await body(channel);
    await channel.close().catch(() => undefined);
  }

  /** Messages waiting in a queue; undefined when the broker is not reached. */
  async depth(queue: string): Promise<number | undefined> {
    const channel = await this.#model?.createChannel().catch(() => undefined);
    if (!channel) return undefined;
    channel.on('error', () => undefined);
    try {
      const { messageCount } = await channel.checkQueue(queue);
      await channel.close();
      return messageCount;
    } catch {
      return undefined;
    }
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#session();
      } catch (error) {
        this.#options.log.warn({ err: error }, 'the message bus is not reached; trying again');
      }
      this.#confirm = undefined;
      this.#model = undefined;
      await delay(500, signal);
    }
  }

  /** One connection, from its opening to its end. */
  async #session(): Promise<void> {
    const { url, name, topology, consumers = [], onConnect, log } = this.#options;
    const model = await connect(`${url}?heartbeat=5`, { clientProperties: { connection_name: name }, timeout: 5_000 });
    const closed = new Promise<void>((resolve) => {
      model.on('close', () => resolve());
      model.on('error', (error) => log.warn({ err: error }, 'the message bus connection failed'));
    });
    try {
      this.#model = model;
      const confirm = await model.createConfirmChannel();
      confirm.on('error', (error) => {
        log.warn({ err: error }, 'the publishing channel failed');
        void model.close().catch(() => undefined);
      });
      if (topology) await topology(confirm);
      for (const consumer of consumers) await this.#consume(model, consumer);
      this.#confirm = confirm;
      log.info('the message bus is connected');
      onConnect?.();
    } catch (error) {
      await model.close().catch(() => undefined);
      throw error;
    }
    await closed;
  }

  async #consume(model: ChannelModel, consumer: Consumer): Promise<void> {
    const channel = await model.createChannel();
    channel.on('error', (error) => {
      this.#options.log.warn({ err: error, queue: consumer.queue }, 'a consuming channel failed');
      void model.close().catch(() => undefined);
    });
    await channel.prefetch(consumer.prefetch ?? 32);
    await channel.consume(consumer.queue, (raw) => {
      if (raw) void this.#deliver(channel, consumer, raw);
    });
  }

  async #deliver(channel: Channel, consumer: Consumer, raw: ConsumeMessage): Promise<void> {
    const sent = String(raw.properties.headers?.['x-request-id'] ?? '');
    const requestId = isRequestId(sent) ? sent : newRequestId();
    try {
      const body: unknown = JSON.parse(raw.content.toString('utf8'));
      const message: Message = { body, routingKey: raw.fields.routingKey, userId: raw.properties.userId, requestId };
      await runInContext({ requestId }, () => consumer.handle(message));
    } catch (error) {
      this.#options.log.warn({ err: error, queue: consumer.queue }, 'a message was dropped');
    }
    try {
      channel.ack(raw);
    } catch {
      // The channel is gone; the broker delivers again.
    }
  }
}
