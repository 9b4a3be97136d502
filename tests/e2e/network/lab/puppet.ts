/**
 * The program that holds an endpoint's sockets. The machine's own Node.js runs it inside the endpoint's network
 * namespace; it takes one JSON request a line and answers one a line, and ends with its input, so that nothing is left
 * when the test dies. It knows sockets and clocks; what they mean is the test's business.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { request } from 'node:http';
import { connect, createServer, isIPv6, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Connected, Fetched, Flow, Held, Poured, Requests } from './puppet-requests.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ignore = (): void => undefined;

/** Sends back what comes; `sink` keeps it, and says at the end how many bytes came. */
function listenTcp(port: number, sink: boolean): Promise<null> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', ignore);
    if (!sink) return void socket.pipe(socket);
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.on('end', () => socket.end(String(bytes)));
  });
  return new Promise((resolve, reject) => server.once('error', reject).listen(port, '::', () => resolve(null)));
}

function listenUdp(port: number): Promise<null> {
  const socket = createSocket('udp6');
  socket.on('message', (data, from) => socket.send(data, from.port, from.address, ignore));
  return new Promise((resolve, reject) => socket.once('error', reject).bind(port, '::', () => resolve(null)));
}

function tryTcp(host: string, port: number, timeoutMs: number): Promise<Connected> {
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (outcome: Connected['outcome']) => () => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ outcome, ms: performance.now() - began });
    };
    const timer = setTimeout(end('silent'), timeoutMs);
    // Open is when a byte came back: a handshake alone may be some middle's.
    socket.once('connect', () => socket.write('?'));
    socket.once('data', end('open'));
    socket.once('error', end('refused'));
  });
}

const udpSocket = (host: string): UdpSocket => createSocket(isIPv6(host) ? 'udp6' : 'udp4').on('error', ignore);

function tryUdp(host: string, port: number, timeoutMs: number): Promise<Connected> {
  const began = performance.now();
  const socket = udpSocket(host);
  return new Promise((resolve) => {
    const send = (): void => socket.send('?', port, host, ignore);
    const end = (outcome: Connected['outcome']) => () => {
      clearInterval(again);
      clearTimeout(timer);
      socket.close();
      resolve({ outcome, ms: performance.now() - began });
    };
    const again = setInterval(send, 200);
    const timer = setTimeout(end('silent'), timeoutMs);
    socket.once('message', end('open'));
    send();
  });
}

const held = new Map<string, { readonly socket: Socket; lastAt: number; closed: boolean }>();

/** A connection that says a byte every 5 ms and notes when the last came back. */
async function hold(name: string, host: string, port: number): Promise<null> {
  const socket = connect({ host, port, noDelay: true });
  const state = { socket, lastAt: 0, closed: false };
  held.set(name, state);
  socket.on('error', ignore).on('close', () => {
    state.closed = true;
  });
  socket.on('data', () => {
    state.lastAt = Date.now();
  });
  const beat = setInterval(() => socket.write('.'), 5);
  socket.once('close', () => clearInterval(beat));
  for (let waited = 0; state.lastAt === 0; waited += 5) {
    if (waited > 5_000) throw new Error(`${host}:${port} does not answer`);
    await pause(5);
  }
  return null;
}

function stateOf(name: string): Held {
  const state = held.get(name);
  if (!state) throw new Error(`no connection is called ${name}`);
  return { lastAt: state.lastAt, closed: state.closed };
}

const flows = new Map<string, { readonly end: () => Flow }>();

/** Numbered datagrams at a steady pace; the answers show what was lost and for how long there was silence. */
function startFlow(name: string, host: string, port: number, everyMs: number): null {
  const socket = udpSocket(host);
  let sent = 0;
  let lastAt = Date.now();
  let gap = 0;
  const seen = new Set<string>();
  socket.on('message', (data) => {
    const now = Date.now();
    gap = Math.max(gap, now - lastAt);
    lastAt = now;
    seen.add(data.toString());
  });
  const beat = setInterval(() => socket.send(String(sent++), port, host, ignore), everyMs);
  flows.set(name, {
    end: () => {
      clearInterval(beat);
      socket.close();
      return { sent, received: seen.size, longestGapMs: Math.max(gap, Date.now() - lastAt) };
    },
  });
  return null;
}

async function endFlow(name: string): Promise<Flow> {
  const flow = flows.get(name);
  if (!flow) throw new Error(`no flow is called ${name}`);
  flows.delete(name);
  return flow.end();
}

/** As much as goes in that time; counts what the other side says it got. */
function pour(host: string, port: number, ms: number): Promise<Poured> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const block = Buffer.alloc(16_384);
    const began = performance.now();
    let told = '';
    const more = (): void => {
      while (performance.now() - began < ms) if (!socket.write(block)) return;
      socket.end();
    };
    socket.once('connect', more).on('drain', more).once('error', reject);
    socket.on('data', (chunk) => {
      told += chunk.toString();
    });
    socket.once('close', () => {
      if (!told) return reject(new Error('the other side counted nothing'));
      resolve({ bytes: Number(told), ms: performance.now() - began });
    });
  });
}

type Fetch = Requests['fetch'][0];

function fetchOnce({ host, path, headers = {}, timeoutMs = 5_000 }: Fetch) {
  const began = performance.now();
  return new Promise<{ status: number; body: string; ms: number }>((resolve, reject) => {
    const sent = request({ host, path, agent: false, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (chunk: Buffer) => parts.push(chunk));
      response.once('end', () => {
        clearTimeout(timer);
        const body = Buffer.concat(parts).toString('utf8');
        resolve({ status: response.statusCode ?? 0, body, ms: performance.now() - began });
      });
    });
    const timer = setTimeout(() => sent.destroy(new Error(`${host}${path}: no answer in ${timeoutMs} ms`)), timeoutMs);
    sent.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    sent.end();
  });
}

/** The last answer, and how long each took. */
async function fetchMany(wanted: Fetch): Promise<Fetched> {
  const took: number[] = [];
  let last = { status: 0, body: '' };
  for (let n = 0; n < (wanted.times ?? 1); n += 1) {
    const { ms, ...answer } = await fetchOnce(wanted);
    took.push(ms);
    last = answer;
  }
  return { ...last, took };
}

/** Connections that say the beginning of a request and nothing more. */
async function dawdle(host: string, port: number, count: number): Promise<number> {
  const sockets = Array.from({ length: count }, () => connect({ host, port }).on('error', ignore));
  for (const socket of sockets) socket.once('connect', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: '));
  await pause(500);
  return sockets.filter((socket) => !socket.connecting && !socket.destroyed).length;
}

type Handlers = { readonly [K in keyof Requests]: (input: Requests[K][0]) => Promise<Requests[K][1]> };

const HANDLERS: Handlers = {
  listen: ({ protocol, port, sink = false }) => (protocol === 'tcp' ? listenTcp(port, sink) : listenUdp(port)),
  connect: ({ protocol, host, port, timeoutMs }) => (protocol === 'tcp' ? tryTcp : tryUdp)(host, port, timeoutMs),
  hold: ({ name, host, port }) => hold(name, host, port),
  held: async ({ name }) => stateOf(name),
  flow: async ({ name, host, port, everyMs }) => startFlow(name, host, port, everyMs),
  endFlow: ({ name }) => endFlow(name),
  pour: ({ host, port, ms }) => pour(host, port, ms),
  fetch: fetchMany,
  dawdle: ({ host, port, count }) => dawdle(host, port, count),
};

interface Call<K extends keyof Requests> {
  readonly id: number;
  readonly what: K;
  readonly input: Requests[K][0];
}

async function answer<K extends keyof Requests>({ id, what, input }: Call<K>): Promise<void> {
  const say = (result: object): void => void process.stdout.write(`${JSON.stringify({ id, ...result })}\n`);
  try {
    say({ result: await HANDLERS[what](input) });
  } catch (error) {
    say({ error: error instanceof Error ? error.message : String(error) });
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => void answer(JSON.parse(line) as Call<keyof Requests>));
lines.once('close', () => process.exit(0));
