/**
 * HTTP for the guests of one network. They are tenants and may mean ill: what they send is limited in size, time and
 * number, the latter for each address, so that no guest keeps another from being answered.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { privateMessage } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { type Answer, answer, NOTHING } from './answers.js';
import type { MetaDataOptions, ServerSpec } from './documents.js';
import { isPasswordPath, type PasswordPost, takePassword } from './password.js';

const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 1_000,
  connectionsCheckingInterval: 2_000,
};
const CONNECTIONS = 1_024;
export const CONNECTIONS_OF_ONE_ADDRESS = 16;

export interface MetadataServerOptions extends MetaDataOptions {
  readonly log: Log;
  readonly networkId: string;
  /** The server with that address on this network. */
  readonly whoIs: (address: string) => ServerSpec | undefined;
  readonly post: PasswordPost;
}

export function metadataServer(options: MetadataServerOptions): Server {
  const { log, networkId } = options;
  const server = createServer(LIMITS, async (request, response) => {
    try {
      const found = await answerTo(request, options);
      request.resume();
      response.writeHead(found.status, {
        'content-type': found.type,
        'content-length': Buffer.byteLength(found.body),
      });
      response.end(request.method === 'HEAD' ? undefined : found.body);
    } catch (error) {
      log.warn({ err: privateMessage(error), networkId }, 'a metadata request failed');
      response.destroy();
    }
  });
  server.maxConnections = CONNECTIONS;
  limitEach(server);
  return server;
}

async function answerTo(request: IncomingMessage, options: MetadataServerOptions): Promise<Answer> {
  const { whoIs, post } = options;
  const spec = whoIs(request.socket.remoteAddress ?? '');
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (!spec) return NOTHING;
  if (request.method === 'GET' || request.method === 'HEAD') return answer(spec, path, options);
  if (!isPasswordPath(path)) return NOTHING;
  if (request.method === 'POST') return takePassword(spec, request, post);
  return { ...NOTHING, status: 400, body: 'GET and POST only are supported.\n' };
}

/** One address has so many connections; further ones are closed at once. */
function limitEach(server: Server): void {
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const from = socket.remoteAddress ?? '';
    const count = (open.get(from) ?? 0) + 1;
    open.set(from, count);
    socket.once('close', () => {
      const left = (open.get(from) ?? 1) - 1;
      if (left > 0) open.set(from, left);
      else open.delete(from);
    });
    if (count > CONNECTIONS_OF_ONE_ADDRESS) socket.destroy();
  });
}
