/** The gRPC service that joins a console of a guest with whoever has redeemed a token for it. */
import type { Duplex } from 'node:stream';
import type { agentConsoleV1 } from '#libs/contract';
import { fail } from '#libs/kernel';
import type { Implementation } from '#libs/platform/grpc';
import type { HypervisorDriver } from '../driver/driver.js';
import type { ConsoleKind } from './guest-console.js';

/** Throws `notFound` for a node that is not of this process. */
type DriverOf = (node: string) => Pick<HypervisorDriver, 'openConsole'>;
type Messages = AsyncIterator<agentConsoleV1.ToConsole>;

const KINDS: readonly string[] = ['vnc', 'serial'] satisfies ConsoleKind[];
const isKind = (kind: string): kind is ConsoleKind => KINDS.includes(kind);

export function consoleService(driverOf: DriverOf): Implementation<agentConsoleV1.ConsolesService> {
  return {
    attach: async (requests, _peer, send, signal) => {
      const messages = requests[Symbol.asyncIterator]();
      const console = await open(driverOf, messages);
      const close = () => console.destroy();
      signal.addEventListener('abort', close);
      const typing = type(messages, console).finally(close);
      try {
        for await (const data of console as AsyncIterable<Buffer>) await send({ data });
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        signal.removeEventListener('abort', close);
        close();
        await Promise.race([typing, Promise.resolve()]);
      }
    },
  };
}

async function open(driverOf: DriverOf, messages: Messages): Promise<Duplex> {
  const { value } = await messages.next();
  const message = (value as agentConsoleV1.ToConsole | undefined)?.message;
  if (message?.$case !== 'attach') throw fail.invalid('the first message says which console is wanted');
  const { node, serverId, kind } = message.value;
  if (!isKind(kind)) throw fail.invalid(`there are no consoles of kind ${kind.slice(0, 20)}`);
  return driverOf(node).openConsole(serverId, kind);
}

/** What the viewer types, until it leaves. */
async function type(messages: Messages, console: Duplex): Promise<void> {
  for (;;) {
    const { value, done } = await messages.next().catch(() => ({ value: undefined, done: true }));
    if (done) return;
    const message = (value as agentConsoleV1.ToConsole).message;
    if (message?.$case !== 'data' || !console.writable) continue;
    if (!console.write(message.value)) await drained(console);
  }
}

const drained = (console: Duplex): Promise<void> =>
  new Promise((resolve) => {
    console.once('drain', resolve);
    console.once('close', resolve);
  });
