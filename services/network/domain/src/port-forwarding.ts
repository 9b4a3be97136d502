/** Port forwarding: ports of a floating IP that lead to ports of different hosts, one to one or many to one. */
import { badPortForwarding } from './router-faults.js';

export const FORWARDED = ['tcp', 'udp'] as const;
export type ForwardedProtocol = (typeof FORWARDED)[number];

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What is forwarded, and where to. */
export interface Forwarding {
  readonly protocol: ForwardedProtocol;
  readonly portId: string;
  readonly internalAddress: string;
  readonly internal: PortRange;
  readonly external: PortRange;
  readonly description: string;
}

export interface PortForwarding extends Forwarding {
  readonly id: string;
  readonly floatingIpId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly revision: number;
}

/** Each outer port is an entry that every gateway carries. */
export const MOST_FORWARDED = 1000;
const MOST_PORT = 65_535;

/** Ports as clients write them: a number, or `FIRST:LAST`. Undefined where neither is said. */
export function readPorts(
  side: 'internal' | 'external',
  port: number | null | undefined,
  range: string | null | undefined,
): PortRange | undefined {
  if (port != null && range != null)
    throw badPortForwarding(`${side}_port and ${side}_port_range cannot be specified together`);
  const [first, last] = port != null ? [port, port] : (range?.split(':').map(Number) ?? []);
  if (first === undefined) return undefined;
  const read = { first, last: last ?? first };
  if (![read.first, read.last].every((each) => Number.isInteger(each) && each >= 1 && each <= MOST_PORT))
    throw badPortForwarding(`${side} ports must be in the range 1 to ${MOST_PORT}`);
  if (read.last < read.first)
    throw badPortForwarding('The last number in port range must be greater or equal to the first');
  return read;
}

const sizeOf = (range: PortRange): number => range.last - range.first + 1;

/** Throws unless each outer port has one inner port: its own, or the only one. */
export function checkPorts(internal: PortRange, external: PortRange): void {
  if (sizeOf(internal) !== 1 && sizeOf(internal) !== sizeOf(external))
    throw badPortForwarding('The relation between internal and external ports does not match the pattern 1:N and N:N');
  if (sizeOf(external) > MOST_FORWARDED)
    throw badPortForwarding(`No more than ${MOST_FORWARDED} ports can be forwarded at once`);
}

/** The pairs of outer and inner ports. */
export function pairsOf({ internal, external }: Pick<Forwarding, 'internal' | 'external'>): [number, number][] {
  const step = sizeOf(internal) === 1 ? 0 : 1;
  return Array.from({ length: sizeOf(external) }, (_, at) => [external.first + at, internal.first + step * at]);
}

/** The address that is meant, of those that the port has. */
export function forwardedAddress(portId: string, own: readonly string[], wish: string | undefined): string {
  const usable = own.filter((address) => !address.includes(':'));
  if (usable[0] === undefined)
    throw badPortForwarding(`Requested internal port ${portId} must allocate an IPv4 address at least`);
  if (wish === undefined) return usable[0];
  if (usable.includes(wish)) return wish;
  throw badPortForwarding(
    `Requested internal IP address ${wish} is not suitable for internal port ${portId}, as its addresses are ${usable.join(', ')}`,
  );
}
