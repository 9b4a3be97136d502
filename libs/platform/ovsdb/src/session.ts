/**
 * One connection to one server: JSON-RPC 1.0 over a stream, answers to the
 * server's echo, and an inactivity probe of our own. It ends once, for one reason,
 * and then every unanswered call fails with `outcome-unknown`.
 */
import type net from 'node:net';
import { OvsdbError, refused } from './errors.js';
import { JsonFrames } from './framing.js';

export interface SessionOptions {
  /** Silence after which an echo is sent; three times that ends the session. */
  readonly probeMs: number;
  readonly maxMessageBytes: number;
}

export interface SessionHandlers {
  notification(method: string, params: readonly unknown[]): void;
  /** Called once; `reason` says why the session ended. */
  ended(reason: OvsdbError): void;
}

interface Pending {
  answered(result: unknown): void;
  failed(error: OvsdbError): void;
}

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** A call's answer is handed to `onAnswer` before any later message is looked at. */
export interface CallOptions {
  readonly timeoutMs?: number;
  readonly onAnswer?: (result: unknown) => void;
}

const SILENT_PROBES = 3;

export class Session {
  private readonly pending = new Map<number, Pending>();
  private readonly frames: JsonFrames;
  private readonly probe: NodeJS.Timeout;
  private nextId = 1;
  private silentTicks = 0;
  private reason: OvsdbError | null = null;

  constructor(
    private readonly socket: net.Socket,
    options: SessionOptions,
    private readonly handlers: SessionHandlers,
  ) {
    this.frames = new JsonFrames(options.maxMessageBytes);
    socket.on('data', (bytes: Buffer) => this.receive(bytes));
    socket.on('error', (error) => this.end(new OvsdbError('not-connected', error.message)));
    socket.on('close', () => this.end(new OvsdbError('not-connected', 'the peer hung up')));
    this.probe = setInterval(() => this.tick(), options.probeMs);
  }

  /** Ends the session; later calls do nothing. */
  end(reason: OvsdbError): void {
    if (this.reason !== null) return;
    this.reason = reason;
    clearInterval(this.probe);
    this.socket.destroy();
    const lost = new OvsdbError('outcome-unknown', `no answer: ${reason.message}`);
    for (const call of this.pending.values()) call.failed(lost);
    this.pending.clear();
    this.handlers.ended(reason);
  }

  /** Calls a method. A call that outlives `timeoutMs` ends the session. */
  call(method: string, params: readonly unknown[], options: CallOptions = {}): Promise<unknown> {
    if (this.reason !== null) {
      return Promise.reject(new OvsdbError('not-connected', this.reason.message));
    }
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = this.deadline(method, options.timeoutMs);
      this.pending.set(id, {
        answered: (result) => {
          clearTimeout(timer);
          options.onAnswer?.(result);
          resolve(result);
        },
        failed: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.send({ method, params, id });
    });
  }

  private deadline(method: string, timeoutMs: number | undefined): NodeJS.Timeout | undefined {
    if (timeoutMs === undefined) return undefined;
    const late = new OvsdbError('not-connected', `${method} unanswered for ${timeoutMs} ms`);
    return setTimeout(() => this.end(late), timeoutMs);
  }

  private send(message: object): void {
    this.socket.write(JSON.stringify(message));
  }

  private tick(): void {
    this.silentTicks += 1;
    if (this.silentTicks > SILENT_PROBES) {
      this.end(new OvsdbError('not-connected', 'the peer fell silent'));
    } else if (this.silentTicks > 1 && !this.socket.connecting) {
      this.call('echo', []).catch(() => undefined);
    }
  }

  private receive(bytes: Buffer): void {
    this.silentTicks = 0;
    try {
      for (const message of this.frames.push(bytes)) {
        if (this.reason === null) this.dispatch(message as Message);
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : 'unreadable message';
      this.end(error instanceof OvsdbError ? error : new OvsdbError('protocol', text));
    }
  }

  private dispatch(message: Message): void {
    if (message.method === 'echo') {
      this.send({ id: message.id, result: message.params, error: null });
    } else if (typeof message.method === 'string') {
      const { params } = message;
      this.handlers.notification(message.method, Array.isArray(params) ? params : []);
    } else {
      this.answer(message);
    }
  }

  private answer(message: Message): void {
    const call = this.pending.get(message.id as number);
    if (call === undefined) return;
    this.pending.delete(message.id as number);
    const { error } = message;
    if (error === null || error === undefined) call.answered(message.result);
    else call.failed(refusalOf(error));
  }
}

/** An RPC error is text or an object with `error` and `details`. */
function refusalOf(error: unknown): OvsdbError {
  if (typeof error === 'string') return refused(error, '', 0);
  const { error: code, details } = error as { error?: unknown; details?: unknown };
  return refused(String(code ?? 'unknown error'), String(details ?? ''), 0);
}
