/** The command lines of `up` and `down`. What `up` was told is remembered, so a plain `up` later means the same cloud. */
import { parseArgs } from 'node:util';

export interface UpOptions {
  readonly nodes?: number;
  readonly simulated?: number;
  readonly port?: number;
  readonly bind?: string;
  readonly publicUrl?: string;
  readonly testStores?: boolean;
}

export interface DownOptions {
  readonly purge: boolean;
  /** With purge: the Debian roots too, which other clouds of this checkout may share. */
  readonly roots: boolean;
  readonly keepResults: boolean;
}

export const UP_USAGE = `npm run up -- [options]      (each is remembered until given again)
  --nodes N        compute nodes with libvirt and OVN (default 1; 0 for none)
  --simulated N    simulated nodes in one process (default 0)
  --port N         port of the endpoint (default: derived from the state folder)
  --bind ADDRESS   address of the endpoint (default 127.0.0.1)
  --public-url URL what clients are told to use (default http://BIND:PORT)
  --test-stores    let this machine into PostgreSQL and RabbitMQ, for integration tests (default no)
Environment: YAGURA_STATE (default var/), YAGURA_ROOTS (default var/root), YAGURA_MIRROR (a Debian mirror)`;

export const DOWN_USAGE = `npm run down -- [options]
  --purge          also remove everything the cloud has stored
  --roots          with --purge: the Debian roots as well (the next up builds them again)`;

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
    parseArgs({
      args,
      options: {
        nodes: text,
        simulated: text,
        port: text,
        bind: text,
        'public-url': text,
        'test-stores': { type: 'boolean' },
      },
    }),
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
    testStores: values['test-stores'],
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export function parseDown(args: string[], env: NodeJS.ProcessEnv): DownOptions {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = guarded(() => parseArgs({ args, options: { purge: flag, roots: flag } }));
  if (values.roots && !values.purge) throw new UsageError('--roots only goes with --purge');
  return { purge: values.purge, roots: values.roots, keepResults: env['YAGURA_KEEP_RESULTS'] === '1' };
}
