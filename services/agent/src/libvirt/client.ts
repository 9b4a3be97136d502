/**
 * A libvirt that is always being reached for: one connection, made again whenever it ends, subscribed to lifecycle
 * events each time. Calls while there is none are rejected at once with LibvirtUnreachable; the caller decides when
 * to try again. What happened while there was no connection is found by `onConnect`, which lists the domains anew.
 */
import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { delay } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { type ConnectionOptions, LibvirtConnection } from './connection.js';
import { LibvirtUnreachable } from './errors.js';
import { type DomainRef, EVENT_ID, type LifecycleEvent, PROCEDURES, type Procedure } from './protocol.js';

export interface LibvirtOptions extends ConnectionOptions {
  /** Path of libvirt's unix socket. */
  readonly socket: string;
  readonly uri?: string;
  readonly log: Log;
  readonly retryMs?: number;
  onLifecycle(event: LifecycleEvent): void;
  /** After each (re)connect, once events are subscribed. */
  onConnect(): void;
}

export class Libvirt {
  readonly #options: LibvirtOptions;
  readonly #stopped = new AbortController();
  #connection: LibvirtConnection | undefined;
  #trouble = 'libvirt has not been reached yet';
  #loop: Promise<void> | undefined;

  constructor(options: LibvirtOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#keepConnected();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#connection?.close();
    await this.#loop;
  }

  /** `ok`, or why libvirt is not reached. */
  get health(): string {
    return this.#connection ? 'ok' : this.#trouble;
  }

  /** Given up after `patienceMs`, and the connection with it. */
  call<Args, Result>(procedure: Procedure<Args, Result>, args: Args, patienceMs?: number): Promise<Result> {
    if (!this.#connection) return Promise.reject(new LibvirtUnreachable(this.#trouble));
    return this.#connection.call(procedure, args, patienceMs);
  }

  openStream<Args>(procedure: Procedure<Args, void>, args: Args): Promise<Duplex> {
    if (!this.#connection) return Promise.reject(new LibvirtUnreachable(this.#trouble));
    return this.#connection.openStream(procedure, args);
  }

  list(): Promise<DomainRef[]> {
    return this.call(PROCEDURES.listAll, { flags: 0 });
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#session();
      } catch (error) {
        this.#trouble = error instanceof Error ? error.message : 'libvirt is not reached';
        this.#options.log.warn({ err: error }, 'libvirt is not reached; trying again');
      }
      await delay(this.#options.retryMs ?? 300, signal);
    }
  }

  async #session(): Promise<void> {
    const connection = new LibvirtConnection(await dial(this.#options.socket), this.#options);
    try {
      await connection.open(this.#options.uri ?? 'qemu:///system');
      connection.onLifecycle = (event) => this.#options.onLifecycle(event);
      await connection.call(PROCEDURES.registerEvent, { event: EVENT_ID.lifecycle });
      this.#connection = connection;
      this.#options.log.info('libvirt is connected');
      this.#options.onConnect();
      throw await connection.closed;
    } finally {
      this.#connection = undefined;
      connection.close();
    }
  }
}

function dial(path: string): Promise<import('node:net').Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ path });
    socket.once('error', (cause) => reject(new LibvirtUnreachable(`${path} can not be opened`, { cause })));
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
