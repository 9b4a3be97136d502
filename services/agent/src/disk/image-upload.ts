/**
 * Sending a file to the image service, by the signed address that compute named. The service says why it does not take
 * it; where it is away, or has not noticed yet that an earlier upload of ours is over, the file is sent again.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { delay, fail, isFailure } from '#libs/kernel';

/** The service looks at the bytes when all have come, and is silent meanwhile. */
const SILENCE_MS = 120_000;
/** How long it may be away. */
const PATIENCE_MS = 300_000;
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const CHUNK = 256 << 10;
const ANSWER_BYTES = 4_096;

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Returns how many bytes it has. Throws `conflict` with the service's reason, or `unavailable`. */
export async function sendFile(
  path: string,
  url: string,
  signal: AbortSignal,
  patienceMs = PATIENCE_MS,
): Promise<number> {
  const { size } = await stat(path);
  const open = () => createReadStream(path, { highWaterMark: CHUNK });
  await send({ size, open }, url, signal, patienceMs);
  return size;
}

/** The same for bytes in memory. */
export function sendBytes(bytes: Buffer, url: string, signal: AbortSignal): Promise<void> {
  return send({ size: bytes.length, open: () => Readable.from([bytes]) }, url, signal, PATIENCE_MS);
}

interface Source {
  readonly size: number;
  open(): Readable;
}

async function send(source: Source, url: string, signal: AbortSignal, patienceMs: number): Promise<void> {
  const giveUp = performance.now() + patienceMs;
  for (let pause = PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return judge(await put(source, url, signal));
    } catch (error) {
      signal.throwIfAborted();
      const failure = isFailure(error) ? error : fail.unavailable('the image service is not reached', { cause: error });
      if (failure.kind !== 'unavailable' || performance.now() > giveUp) throw failure;
    }
    await delay(pause, signal);
    signal.throwIfAborted();
  }
}

function judge({ status, text }: Answer): void {
  if (status === 200 || status === 204) return;
  const refused = status === 400 || status === 410 || status === 413 || status === 415;
  if (refused) throw fail.conflict(`the image service does not take the copy: ${reasonOf(text) ?? status}`);
  throw fail.unavailable(`the image service answered ${status}`);
}

function reasonOf(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

/** An answer that comes before all was sent is one all the same. */
async function put({ size, open }: Source, url: string, signal: AbortSignal): Promise<Answer> {
  const headers = { 'content-type': 'application/octet-stream', 'content-length': size };
  const sending = (url.startsWith('https:') ? secure : plain)(url, {
    method: 'PUT',
    headers,
    signal,
    timeout: SILENCE_MS,
  });
  sending.on('timeout', () => sending.destroy(new Error(`no answer for ${SILENCE_MS} ms`)));
  const answered = new Promise<Answer>((resolve, reject) => {
    sending.on('error', reject);
    sending.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        if (text.length < ANSWER_BYTES) text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
  });
  const sent = pipeline(open(), sending).catch(() => undefined);
  try {
    return await answered;
  } finally {
    sending.destroy();
    await sent;
  }
}
