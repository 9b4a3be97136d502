/**
 * One cloud on one machine: its names, numbers and folders. Everything that two clouds could meet in (interfaces,
 * addresses, namespaces, container names, cgroups, the port) derives from the state folder's path, and the addresses
 * are remembered, so that a later collision never moves a cloud.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';
import type { UpOptions } from './options.js';

export interface Folders {
  readonly checkout: string;
  readonly state: string;
  readonly roots: string;
}

/** What is remembered in `deployment.json`. */
export interface Remembered {
  readonly subnet: number;
  readonly port: number;
  readonly bind: string;
  readonly publicUrl?: string;
  readonly nodes: number;
  readonly simulated: number;
  readonly testStores: boolean;
}

export interface Deployment extends Folders, Remembered {
  /** Six hexadecimal digits of the state folder's path. */
  readonly id: string;
  readonly publicUrl: string;
}

export const deploymentId = (state: string): string => createHash('sha256').update(state).digest('hex').slice(0, 6);

/** Where the management and fabric networks of all clouds lie. */
export const INTERNAL_RANGE = '10.192.0.0/10';

/** Management address of a host by its number: 1 is the machine, 10 the controller, 10 + n node n. */
export const managementAddress = (d: { subnet: number }, host: number): string =>
  `10.${subnetOctets(d.subnet, 0)}.${host}`;
/** The address between which nodes build their tunnels. */
export const fabricAddress = (d: { subnet: number }, host: number): string => `10.${subnetOctets(d.subnet, 1)}.${host}`;
/**
 * Address in the cloud's external network: 1 is the machine, which is the way out; the rest is the cloud's to give away.
 * A /24 of its own in 10.128.0.0/11, numbered as the /23 is.
 */
export const externalAddress = (d: { subnet: number }, host: number): string =>
  `10.${128 + (d.subnet >> 8)}.${d.subnet & 255}.${host}`;
export const externalCidr = (d: { subnet: number }): string => `${externalAddress(d, 0)}/24`;
export const CONTROLLER_HOST = 10;
export const controllerAddress = (d: { subnet: number }): string => managementAddress(d, CONTROLLER_HOST);
export const nodeNames = (d: { nodes: number }): string[] => Array.from({ length: d.nodes }, (_, i) => `node-${i + 1}`);

/** The subnet's number 0..8191 names a /23: the management /24 and, after it, the fabric /24, in INTERNAL_RANGE. */
function subnetOctets(subnet: number, half: 0 | 1): string {
  const block = subnet * 2 + half;
  return `${192 + (block >> 8)}.${block & 255}`;
}

export function foldersFromEnvironment(env: NodeJS.ProcessEnv): Folders {
  const checkout = env['YAGURA_CHECKOUT'];
  const state = env['YAGURA_STATE'];
  if (!checkout || !state) throw new Error('run this through npm run up, npm run down or a command in deploy/bin');
  return { checkout, state, roots: env['YAGURA_ROOTS'] || join(checkout, 'var', 'root') };
}

const fileOf = (folders: Folders): string => join(folders.state, 'deployment.json');

export function readDeployment(folders: Folders): Deployment | undefined {
  if (!existsSync(fileOf(folders))) return undefined;
  return complete(folders, JSON.parse(readFileSync(fileOf(folders), 'utf8')) as Remembered);
}

/** The deployment as remembered, changed by what was asked; chooses subnet and port where nothing is remembered. */
export async function settleDeployment(folders: Folders, asked: UpOptions): Promise<Deployment> {
  const before = existsSync(fileOf(folders))
    ? (JSON.parse(readFileSync(fileOf(folders), 'utf8')) as Remembered)
    : undefined;
  const hash = createHash('sha256').update(folders.state).digest();
  const remembered: Remembered = {
    subnet: before?.subnet ?? freeSubnet(hash.readUInt16BE(4) % 8192, await takenRanges()),
    port: before?.port ?? 20_000 + (hash.readUInt16BE(6) % 10_000),
    bind: before?.bind ?? '127.0.0.1',
    ...(before?.publicUrl ? { publicUrl: before.publicUrl } : {}),
    nodes: before?.nodes ?? 1,
    simulated: before?.simulated ?? 0,
    testStores: before?.testStores ?? false,
    ...asked,
  };
  mkdirSync(folders.state, { recursive: true });
  writeFileSync(`${fileOf(folders)}.new`, `${JSON.stringify(remembered, null, 2)}\n`);
  renameSync(`${fileOf(folders)}.new`, fileOf(folders));
  return complete(folders, remembered);
}

function complete(folders: Folders, remembered: Remembered): Deployment {
  const publicUrl =
    remembered.publicUrl ??
    `http://${remembered.bind === '0.0.0.0' ? '127.0.0.1' : remembered.bind}:${remembered.port}`;
  return { ...folders, ...remembered, id: deploymentId(folders.state), publicUrl };
}

interface Range {
  readonly low: number;
  readonly high: number;
}

/** The first free subnet from `start` on; pure, so that it can be tested. */
export function freeSubnet(start: number, taken: readonly Range[]): number {
  for (let i = 0; i < 8192; i++) {
    const subnet = (start + i) % 8192;
    const isFree = (low: number, size: number): boolean =>
      !taken.some((range) => range.low < low + size && range.high >= low);
    if (isFree(0x0ac00000 + subnet * 512, 512) && isFree(0x0a800000 + subnet * 256, 256)) return subnet;
  }
  throw new Error(`no free /23 in ${INTERNAL_RANGE} with a free /24 in 10.128.0.0/11 on this machine`);
}

export function rangeOf(cidr: string): Range | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(cidr);
  if (!match) return undefined;
  const octets = match.slice(1, 5).map(Number) as [number, number, number, number];
  const size = 2 ** (32 - Number(match[5] ?? 32));
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const low = Math.floor(address / size) * size;
  return { low, high: low + size - 1 };
}

/** What the machine's routes already reach, without the default route. */
async function takenRanges(): Promise<Range[]> {
  const routes = JSON.parse(await run(['ip', '-j', '-4', 'route', 'show', 'table', 'all'])) as { dst?: string }[];
  return routes.flatMap((route) => (route.dst && route.dst !== 'default' ? (rangeOf(route.dst) ?? []) : []));
}
