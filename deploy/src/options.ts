/** The command lines of `up` and `down`. What `up` was told is remembered, so a plain `up` later means the same cloud. */
import { parseArgs } from 'node:util';

export interface UpOptions {
  readonly nodes?: number;
  readonly simulated?: number;
  readonly port?: number;
  readonly bind?: string;
  readonly publicUrl?: string;
}

export interface DownOptions {
  readonly purge: boolean;
  readonly keepRoot: boolean;
}

export const UP_USAGE = `npm run up -- [options]      (each is remembered until given again)
  --nodes N        compute nodes with libvirt and OVN (default 1; 0 for none)
  --simulated N    simulated nodes in one process (default 0)
  --port N         port of the endpoint (default: derived from the state folder)
  --bind ADDRESS   address of the endpoint (default 127.0.0.1)
  --public-url URL what clients are told to use (default http://BIND:PORT)
Environment: YAGURA_STATE (default var/), YAGURA_ROOTS (default YAGURA_STATE/root), YAGURA_MIRROR (a Debian mirror)`;

export const DOWN_USAGE = `npm run down -- [options]
  --purge          also remove everything the cloud has stored
  --keep-root      with --purge: keep the Debian roots, so that the next up is quick`;

export class UsageError extends Error {}

function whole(name: string, text: string | undefined, low: number, high: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < low || value > high)
    throw new UsageError(`--${name} must be a number from ${low} to ${high}`);
  return value;
}

function guarded<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export function parseUp(args: string[]): UpOptions {
  const text = { type: 'string' } as const;
  const { values } = guarded(() =>
    parseArgs({ args, options: { nodes: text, simulated: text, port: text, bind: text, 'public-url': text } }),
  );
  const publicUrl = values['public-url'];
  if (publicUrl !== undefined && !/^https?:\/\/[^/\s]+(\/[^\s]*)?$/.test(publicUrl))
    throw new UsageError('--public-url must be an http(s) URL');
  const given = {
    nodes: whole('nodes', values.nodes, 0, 200),
    simulated: whole('simulated', values.simulated, 0, 10_000),
    port: whole('port', values.port, 1, 65_535),
    bind: values.bind,
    publicUrl: publicUrl?.replace(/\/+$/, ''),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export function parseDown(args: string[]): DownOptions {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = guarded(() => parseArgs({ args, options: { purge: flag, 'keep-root': flag } }));
  return { purge: values.purge, keepRoot: values['keep-root'] };
}
