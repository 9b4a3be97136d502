/** What a running server has used of its machine, asked of its node at the moment of the request, and never for a list. */
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import type { Server } from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { admin } from '../compute.rules.js';
import { ServerHandlers } from './server.handlers.js';
import { type Diagnosed, diagnosticsView, plainDiagnostics } from './server-diagnostics.wire.js';
import { loadServer } from './server-target.js';

/** Nova's words for the power of a guest that does not run. */
const POWER_WORDS: Readonly<Record<string, string>> = { paused: 'paused', crashed: 'crashed', absent: 'pending' };

@Injectable()
export class ServerDiagnosticsHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly books: Books,
    private readonly peers: Peers,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  async diagnose(server: Server): Promise<Diagnosed> {
    const node = server.host === null ? undefined : await this.books.nodes.find(this.books.db, server.host);
    if (!node) throw fail.conflict(`Instance ${server.id} is not ready`);
    const used = await this.peers.agentOf(node).diagnostics({ node: node.name, serverId: server.id });
    if (used.power !== 'running') {
      const state = POWER_WORDS[used.power] ?? 'shutdown';
      throw fail.conflict(`Cannot 'get_diagnostics' instance ${server.id} while it is in power state ${state}`);
    }
    return { server, used, now: this.around.clock.now() };
  }
}

const diagnostics = {
  method: 'GET',
  path: '/v2.1/servers/:id/diagnostics',
  rule: admin('os-server-diagnostics'),
  status: 200,
} as const;

export const serverDiagnosticsOps: readonly Op[] = [
  op(ServerDiagnosticsHandlers, {
    ...diagnostics,
    until: '2.47',
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, _call, server) => ({ body: plainDiagnostics((await handlers.diagnose(server)).used) }),
  }),
  op(ServerDiagnosticsHandlers, {
    ...diagnostics,
    since: '2.48',
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => ({ body: diagnosticsView(await handlers.diagnose(server), call) }),
  }),
];
