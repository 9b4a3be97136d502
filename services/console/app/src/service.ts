/**
 * Consoles in a browser: the page, and a websocket that is joined with the agent of the node where the guest is. It holds
 * nothing: whose console a token opens is compute's to say, once.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { agentConsoleV1, computeConsoleV1 } from '#libs/contract';
import { isFailure, newRequestId, runInContext } from '#libs/kernel';
import type { ProcessConfig } from '#libs/platform/config';
import { connectGrpc, type Remote } from '#libs/platform/grpc';
import { Gauge, type Log, metrics } from '#libs/platform/log';
import { judge } from './knock.js';
import { PAGE_HEADERS, readPages } from './pages.js';
import { serveSession } from './session.js';

type Config = Required<Pick<ProcessConfig, 'publicUrl' | 'http' | 'peers'>> & Pick<ProcessConfig, 'tls'>;

const SESSIONS_MAX = 500;
const MESSAGE_MAX = 1 << 20;

const open = new Gauge({ name: 'console_sessions', help: 'Consoles that are open', registers: [metrics] });

/** Resolves when the port is open. */
export async function startService(config: Config, log: Log): Promise<{ stop(): void }> {
  const pages = readPages();
  const compute = connectGrpc(computeConsoleV1.ConsolesService, config.peers['compute'] ?? [], 'compute', config.tls);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_MAX,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('binary') ? 'binary' : false),
  });
  // Clients of OpenStack's own proxy look for its name.
  sockets.on('headers', (headers) => headers.push('Server: WebSockify'));
  const http = createServer((request, response) => void answer(pages, request, response));
  http.on('upgrade', (request, socket, head) => {
    const requestId = newRequestId();
    void runInContext({ requestId }, () => upgrade({ config, compute, sockets, log }, request, socket, head));
  });
  await listen(http, config.http);
  log.info({ port: config.http.port }, 'HTTP listens');
  return {
    stop: () => {
      for (const viewer of sockets.clients) viewer.terminate();
      http.close();
      compute.close();
    },
  };
}

const listen = (server: Server, { host, port }: Config['http']): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });

async function answer(
  pages: ReturnType<typeof readPages>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const page = pages.get(path);
  if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405).end();
  else if (path === '/healthz') response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}');
  else if (path === '/metrics')
    response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.metrics());
  else if (page) response.writeHead(200, { ...PAGE_HEADERS, 'content-type': page.type }).end(page.bytes);
  else response.writeHead(404).end();
}

interface Parts {
  readonly config: Config;
  readonly compute: Remote<computeConsoleV1.ConsolesService>;
  readonly sockets: WebSocketServer;
  readonly log: Log;
}

/** Uses the token up before the websocket is there: whoever has none, or an old one, is told so in HTTP. */
async function upgrade(parts: Parts, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const { config, compute, sockets, log } = parts;
  socket.on('error', () => socket.destroy());
  const verdict = judge({ url: request.url, origin: request.headers.origin }, config.publicUrl);
  if ('status' in verdict) return refuse(socket, verdict.status);
  if (sockets.clients.size >= SESSIONS_MAX) return refuse(socket, 503);
  try {
    const opened = await compute.redeem({ token: verdict.token });
    sockets.handleUpgrade(request, socket, head, (viewer) => void join(parts, viewer, opened));
  } catch (error) {
    if (!isFailure(error, 'notFound')) log.warn({ err: error }, 'a token could not be redeemed');
    refuse(socket, isFailure(error, 'notFound') ? 403 : 503);
  }
}

async function join({ config, log }: Parts, viewer: WebSocket, opened: computeConsoleV1.RedeemReply): Promise<void> {
  const { serverId, node, agentGrpc, certificate, kind } = opened;
  const agent = connectGrpc(agentConsoleV1.ConsolesService, [agentGrpc], certificate, config.tls);
  open.inc();
  log.info({ server: serverId, node, kind }, 'a console is opened');
  try {
    await serveSession(viewer, agent.attach(), { node, serverId, kind }, log);
  } finally {
    open.dec();
    agent.close();
    log.info({ server: serverId, node, kind }, 'a console is closed');
  }
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
