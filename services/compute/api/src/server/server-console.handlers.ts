import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Server } from '#services/compute/domain';
import { Books, Peers } from '../books.js';
import { ServerHandlers } from './server.handlers.js';

/** Control characters but tab and line feed: a guest must not move the reader's cursor or colour the reader's world. */
const CONTROL = /[^\P{Cc}\t\n]/gu;

@Injectable()
export class ServerConsoleHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly books: Books,
    private readonly peers: Peers,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** The last lines of the serial log, or all that is kept: undefined and -1. */
  async output(server: Server, lines: number | undefined): Promise<string> {
    const node = server.host === null ? undefined : await this.books.nodes.find(this.books.db, server.host);
    if (!node || server.vmState === 'building') throw fail.conflict(`Instance ${server.id} is not ready`);
    if (lines === 0) return '';
    const wanted = lines === undefined || lines < 0 ? 0 : lines;
    const request = { node: node.name, serverId: server.id, lines: wanted };
    const { output } = await this.peers.agentOf(node).consoleLog(request);
    return output.toString('utf8').replace(CONTROL, '');
  }
}
