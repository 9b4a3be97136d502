/** Giving out what opens a console, and telling administrators what a token would open. */
import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import { ConsoleTokenRepo, type OpenConsole } from '#services/compute/data';
import { CONSOLE_TOKEN_MS, CONSOLE_TYPES, type ConsoleType, POWER, type Server } from '#services/compute/domain';
import { Books, Surroundings } from '../books.js';
import { ServerHandlers } from './server.handlers.js';
import { consoleUrl } from './server-remote-console.wire.js';

const TOKEN_BYTES = 24;
const isOffered = (type: string): type is ConsoleType => CONSOLE_TYPES.some((known) => known === type);
/** Consoles of a guest whose processors stand still can be looked at, too. */
const LIVE: readonly number[] = [POWER.running, POWER.paused];

@Injectable()
export class ServerRemoteConsoleHandlers {
  readonly #tokens = new ConsoleTokenRepo();

  constructor(
    private readonly servers: ServerHandlers,
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** The URL with a token that opens once. */
  async url(server: Server, type: string): Promise<string> {
    if (!isOffered(type)) throw fail.invalid(`Unavailable console type ${type}.`);
    const { id: serverId, host: node, powerState } = server;
    if (node === null || !LIVE.includes(powerState)) throw fail.conflict(`Instance ${serverId} is not ready`);
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const expiresAt = new Date(this.around.clock.now().getTime() + CONSOLE_TOKEN_MS);
    await this.#tokens.insert(this.books.db, token, { serverId, node, type, expiresAt });
    return consoleUrl(this.around.consoleBase, type, token);
  }

  /** What the token opens; it can still be used afterwards. */
  async describe(token: string): Promise<OpenConsole> {
    const open = await this.#tokens.find(this.books.db, token, this.around.clock.now());
    if (!open) throw fail.notFound('Token not found');
    return open;
  }
}
