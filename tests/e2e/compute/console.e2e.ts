/** Consoles as a browser opens them: the page, the screen by RFB, the serial line, and tokens that open once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { must, openstack, show, until } from '../client.js';

const DEMO = 'yagura-demo';
const server = `console-${Date.now().toString(36)}`;

beforeAll(async () => {
  await must(DEMO, 'server', 'create', '--flavor', 'm1.nano', '--image', 'tiny', '--network', 'demo', '--wait', server);
});
afterAll(async () => {
  await openstack(DEMO, 'server', 'delete', '--wait', server);
});

const urlOf = async (kind: '--novnc' | '--serial'): Promise<string> =>
  (await show<{ url: string }>(DEMO, 'console', 'url', 'show', kind, server)).url;

/** Where the page's own script would connect to. */
function socketOf(url: string): string {
  const page = new URL(url);
  const path = page.searchParams.get('path');
  return path === null ? url : `ws://${page.host}/${path}`;
}

/** A viewer that keeps what it was told. */
class Viewer {
  heard = Buffer.alloc(0);
  closed = false;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.heard = Buffer.concat([this.heard, data]);
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static open(url: string, origin?: string): Promise<Viewer> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(socketOf(url), 'binary', origin === undefined ? {} : { origin });
      const viewer = new Viewer(socket);
      socket.once('open', () => resolve(viewer));
      socket.once('error', reject);
    });
  }

  async take(bytes: number): Promise<Buffer> {
    await until(
      `${bytes} bytes`,
      async () => this.heard.length,
      (length) => length >= bytes,
      10_000,
      20,
    );
    const taken = this.heard.subarray(0, bytes);
    this.heard = this.heard.subarray(bytes);
    return taken;
  }
}

describe('the screen', () => {
  it('has a page with noVNC', async () => {
    const url = await urlOf('--novnc');
    const page = await fetch(url);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).toContain('noVNC');
    const script = await fetch(new URL('novnc/core/rfb.js', url));
    expect([script.status, script.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
  });

  it('is the guest’s own, without a password of its own, and of its size', async () => {
    const viewer = await Viewer.open(await urlOf('--novnc'));
    expect((await viewer.take(12)).toString()).toBe('RFB 003.008\n');
    viewer.socket.send('RFB 003.008\n');
    expect([...(await viewer.take(2))]).toEqual([1, 1]);
    viewer.socket.send(Buffer.from([1]));
    expect([...(await viewer.take(4))]).toEqual([0, 0, 0, 0]);
    viewer.socket.send(Buffer.from([1]));
    const start = await viewer.take(24);
    expect(start.readUInt16BE(0)).toBeGreaterThanOrEqual(640);
    const { id } = await show<{ id: string }>(DEMO, 'server', 'show', server);
    expect((await viewer.take(start.readUInt32BE(20))).toString()).toContain(id);
    // A whole frame: more than one message can hold, so that pieces must stay in order.
    const [width, height] = [start.readUInt16BE(0), start.readUInt16BE(2)];
    const request = Buffer.alloc(10);
    request.writeUInt8(3, 0);
    request.writeUInt16BE(width, 6);
    request.writeUInt16BE(height, 8);
    viewer.socket.send(request);
    const update = await viewer.take(4 + 12);
    expect([update[0], update.readUInt32BE(12)]).toEqual([0, 0]);
    await viewer.take(update.readUInt16BE(8) * update.readUInt16BE(10) * 4);
    viewer.socket.close();
  });
});

describe('the serial line', () => {
  it('takes what is typed, and goes to whoever opens it last', async () => {
    await until(
      'boot',
      async () => (await openstack(DEMO, 'console', 'log', 'show', server)).output,
      (log) => log.includes('READY'),
    );
    const first = await Viewer.open(await urlOf('--serial'));
    const second = await Viewer.open(await urlOf('--serial'));
    await until(
      'the first is closed',
      async () => first.closed,
      (closed) => closed,
      10_000,
      50,
    );
    second.socket.send('\recho $((6 * 7))-typed\r');
    await until(
      'an answer',
      async () => second.heard.toString(),
      (text) => text.includes('42-typed'),
      20_000,
      100,
    );
    second.socket.close();
  });
});

describe('a token', () => {
  it('opens once', async () => {
    const url = await urlOf('--novnc');
    (await Viewer.open(url)).socket.close();
    await expect(Viewer.open(url)).rejects.toThrow('403');
  });

  it('is nothing to pages of other origins, and not used up by them', async () => {
    const url = await urlOf('--novnc');
    await expect(Viewer.open(url, 'https://elsewhere.example')).rejects.toThrow('403');
    (await Viewer.open(url, new URL(url).origin)).socket.close();
  });

  it('opens nothing when it was made up', async () => {
    const url = await urlOf('--novnc');
    await expect(Viewer.open(`${url.slice(0, -4)}zzzz`)).rejects.toThrow('403');
  });
});

it('ends when the server is stopped', async () => {
  const viewer = await Viewer.open(await urlOf('--novnc'));
  await viewer.take(12);
  await must(DEMO, 'server', 'stop', server);
  await until(
    'the screen is closed',
    async () => viewer.closed,
    (closed) => closed,
    60_000,
    200,
  );
  expect((await openstack(DEMO, 'console', 'url', 'show', '--novnc', server)).output).toContain('is not ready');
});
