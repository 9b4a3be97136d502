/** A scripted OVSDB server on a unix socket, for tests of the client alone. */
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonFrames } from './framing.js';
import type { TableUpdates } from './replica.js';

export interface Heard {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What the server does with a call: answers, refuses, hangs up, or keeps silent. */
export type Reaction = { result: unknown } | { error: unknown } | 'hang-up' | 'silence';

const SCHEMA = {
  tables: {
    Thing: {
      columns: {
        name: { type: 'string' },
        size: { type: { key: 'integer' } },
        up: { type: { key: 'boolean', min: 0, max: 1 } },
        tags: { type: { key: 'string', min: 0, max: 'unlimited' } },
        friends: { type: { key: { type: 'uuid', refTable: 'Thing' }, min: 0, max: 'unlimited' } },
        ids: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } },
      },
    },
  },
};

export class FakeServer {
  readonly heard: Heard[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'ovsdb-'));
  readonly path = join(this.folder, 'db.sock');
  leader = true;
  /** Answers to `transact`, in order; an empty list of results when none is left. */
  transacts: Reaction[] = [];
  /** The answer to `monitor_cond_since`. */
  snapshot: [resumed: boolean, transaction: string, updates: TableUpdates] = [false, 't1', {}];
  answersEcho = true;
  connections = 0;
  private readonly sockets = new Set<net.Socket>();
  private readonly server = net.createServer((socket) => this.accept(socket));

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(this.path, resolve));
    return this;
  }

  async close(): Promise<void> {
    this.dropAll();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  dropAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Reports a committed transaction to every client. */
  report(transaction: string, updates: TableUpdates): void {
    this.send({ id: null, method: 'update3', params: ['yagura-data', transaction, updates] });
  }

  /** Sends raw text or a message to every client. */
  send(message: object | string): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    for (const socket of this.sockets) socket.write(text);
  }

  calls(method: string): readonly Heard[] {
    return this.heard.filter((call) => call.method === method);
  }

  private accept(socket: net.Socket): void {
    this.connections += 1;
    this.sockets.add(socket);
    const frames = new JsonFrames(1 << 20);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      for (const message of frames.push(bytes)) {
        this.take(socket, message as { id: unknown; method?: string; params?: unknown[] });
      }
    });
  }

  private take(socket: net.Socket, message: { id: unknown; method?: string; params?: unknown[] }): void {
    const { id, method = 'answer', params = [] } = message;
    this.heard.push({ method, params });
    const reaction = this.react(method);
    if (reaction === 'silence') return;
    if (reaction === 'hang-up') socket.destroy();
    else socket.write(JSON.stringify({ id, result: null, error: null, ...reaction }));
  }

  private react(method: string): Reaction {
    if (method === 'echo') return this.answersEcho ? { result: [] } : 'silence';
    if (method === 'get_schema') return { result: SCHEMA };
    if (method === 'monitor_cond_since') return { result: this.snapshot };
    if (method === 'transact') return this.transacts.shift() ?? { result: [] };
    if (method !== 'monitor_cond') return 'silence';
    const initial = { name: 'Things', model: 'clustered', connected: true, leader: this.leader };
    return { result: { Database: { r1: { initial } } } };
  }
}
