/**
 * One viewer and one console: bytes both ways until either leaves. Neither side is read faster than the other takes: a
 * viewer that does not read must not make this process keep a screen's worth of frames for it.
 */
import type { WebSocket } from 'ws';
import type { agentConsoleV1 } from '#libs/contract';
import { privateMessage } from '#libs/kernel';
import type { Conversation } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';

export type Attachment = Conversation<agentConsoleV1.ToConsole, agentConsoleV1.FromConsole>;

/** Codes of RFC 6455: a normal end, and one that this side could not help. */
const OVER = 1000;
const BROKEN = 1011;
const PING_MS = 30_000;

/** Resolves when it is over. Never throws. */
export async function serveSession(viewer: WebSocket, console: Attachment, wanted: agentConsoleV1.Attached, log: Log) {
  let code = OVER;
  const alive = setInterval(() => viewer.ping(), PING_MS);
  viewer.on('close', () => console.cancel());
  viewer.on('error', () => console.cancel());
  viewer.on('message', (data: Buffer) => {
    viewer.pause();
    void console.send({ message: { $case: 'data', value: data } }).then(() => viewer.resume());
  });
  try {
    await console.send({ message: { $case: 'attach', value: wanted } });
    for await (const { data } of console.events) await written(viewer, data);
  } catch (error) {
    if (viewer.readyState === viewer.OPEN) {
      code = BROKEN;
      log.warn({ server: wanted.serverId, kind: wanted.kind, reason: privateMessage(error) }, 'a console broke');
    }
  } finally {
    clearInterval(alive);
    console.cancel();
    viewer.close(code);
  }
}

/** Resolves when the bytes are on their way, or nobody waits for them any more. */
const written = (viewer: WebSocket, data: Buffer): Promise<void> =>
  new Promise((resolve) => {
    if (viewer.readyState !== viewer.OPEN) resolve();
    else viewer.send(data, { binary: true }, () => resolve());
  });
