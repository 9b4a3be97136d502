/** An endpoint's bare wire: frames put on it byte by byte, and every frame that comes out of it. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { startOnNode } from './node.js';

const LARGEST_FRAME = 9_000;

/** socat tells each frame by a headline and one line of hex digits. */
const isDump = (line: string): boolean => /^( [0-9a-f]{2})+\s*$/.test(line);

interface Wire {
  readonly child: ChildProcess;
  readonly gone: Promise<number | null>;
}

/** Starts socat between the interface and `end`; resolves when it moves bytes. */
function open(node: string, namespace: string, ends: readonly string[], hear: (line: string) => void): Promise<Wire> {
  const socat = ['socat', '-u', '-d', '-d', '-x', '-b', String(LARGEST_FRAME), ...ends];
  const child = startOnNode(node, ['ip', 'netns', 'exec', namespace, ...socat]);
  const gone = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin!.on('error', () => undefined);
  let said = '';
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stderr! }).on('line', (line) => {
      if (line.includes('starting data transfer')) resolve({ child, gone });
      else hear(line);
      if (said.length < 2_000) said += `${line}\n`;
    });
    void gone.then(() => reject(new Error(`no wire in ${namespace} on ${node}: ${said}`)));
  });
}

/** Sends frames as they are. What socat reads at once goes out as one frame, so each waits until the one before is told. */
export async function inject(node: string, namespace: string, frames: readonly Buffer[]): Promise<void> {
  let told = (): void => undefined;
  const { child, gone } = await open(node, namespace, ['-', 'INTERFACE:eth0'], (line) => {
    if (isDump(line)) told();
  });
  for (const frame of frames) {
    const sent = new Promise<void>((resolve) => {
      told = resolve;
    });
    child.stdin!.write(frame);
    await Promise.race([sent, gone]);
  }
  child.stdin!.end();
  const code = await gone;
  if (code !== 0) throw new Error(`frames could not be sent from ${namespace} on ${node} (${code})`);
}

/** What comes out of the wire while it is open. */
export class Tap {
  readonly frames: Buffer[] = [];
  readonly #wire: Promise<Wire>;

  private constructor(node: string, namespace: string) {
    this.#wire = open(node, namespace, ['INTERFACE:eth0', 'OPEN:/dev/null'], (line) => {
      if (isDump(line)) this.frames.push(Buffer.from(line.replaceAll(' ', ''), 'hex'));
    });
  }

  static async open(node: string, namespace: string): Promise<Tap> {
    const tap = new Tap(node, namespace);
    await tap.#wire;
    return tap;
  }

  /** Frames that carry the text or the bytes. */
  holding(what: string | Buffer): Buffer[] {
    return this.frames.filter((frame) => frame.includes(what));
  }

  async close(): Promise<void> {
    const { child, gone } = await this.#wire;
    child.kill('SIGTERM');
    await gone;
  }
}
