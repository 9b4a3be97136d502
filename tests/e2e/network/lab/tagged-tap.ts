/**
 * A tap that sees the tags of VLANs. The kernel takes a tag off before any socket sees the frame and tells it beside the
 * data, where socat does not look; so a few lines of Python put it back.
 */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { startOnNode } from './node.js';

/** PACKET_AUXDATA is option 8 of level 263; bit 4 of its status says that there was a tag. Own frames are left out. */
const SNIFF = `
import socket, struct
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.setsockopt(263, 8, 1)
wire.bind(("eth0", 0))
print("listening", flush=True)
while True:
    frame, beside, _, sender = wire.recvmsg(9216, 256)
    if sender[2] == socket.PACKET_OUTGOING:
        continue
    for _, _, data in beside:
        status, _, _, _, _, tag, _ = struct.unpack("IIIHHHH", data[:20])
        if status & 16:
            frame = frame[:12] + struct.pack("!HH", 0x8100, tag) + frame[12:]
    print(frame.hex(), flush=True)`;

export class TaggedTap {
  readonly frames: Buffer[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  private constructor(node: string, namespace: string) {
    this.#child = startOnNode(node, ['ip', 'netns', 'exec', namespace, 'python3', '-c', SNIFF]);
    this.#gone = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** Everything that arrives from now on. */
  static open(node: string, namespace: string): Promise<TaggedTap> {
    const tap = new TaggedTap(node, namespace);
    return new Promise((resolve, reject) => {
      createInterface({ input: tap.#child.stdout! }).on('line', (line) => {
        if (line === 'listening') resolve(tap);
        else tap.frames.push(Buffer.from(line, 'hex'));
      });
      void tap.#gone.then(() => reject(new Error(`no tap in ${namespace} on ${node}`)));
    });
  }

  /** Frames that carry the text. */
  holding(text: string): Buffer[] {
    return this.frames.filter((frame) => frame.includes(text));
  }

  async close(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#gone;
  }
}
