/** Labels under which an operator wants routed traffic counted, with the rules that say which traffic. */
import { fail } from '#libs/kernel';
import { bitsOf, formatPrefix, parseIp, parsePrefix } from './address.js';
import { badAttribute } from './faults.js';
import type { Direction } from './model.js';

export interface MeteringLabel {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string;
  /** For the traffic of every project. */
  readonly shared: boolean;
}

/** Names what is beyond the router as a whole, or either end by itself. */
export interface MeteredPrefixes {
  readonly remotePrefix: string | null;
  readonly sourcePrefix: string | null;
  readonly destinationPrefix: string | null;
}

export interface MeteringLabelRule extends MeteredPrefixes {
  readonly id: string;
  readonly labelId: string;
  readonly direction: Direction;
  readonly excluded: boolean;
}

const NAMES = {
  remotePrefix: 'remote_ip_prefix',
  sourcePrefix: 'source_ip_prefix',
  destinationPrefix: 'destination_ip_prefix',
} as const;

/** The prefixes as a client wrote them, canonical; an address alone is a prefix of full length. */
export function readMetered(wish: MeteredPrefixes): MeteredPrefixes {
  const read = (name: keyof MeteredPrefixes): string | null => {
    const text = wish[name];
    if (text === null || text === '') return null;
    const ip = parseIp(text);
    const prefix = parsePrefix(ip ? `${text}/${bitsOf(ip.version)}` : text);
    if (!prefix) throw badAttribute(NAMES[name], `'${text}' is not a valid IP subnet.`);
    return formatPrefix(prefix);
  };
  const remotePrefix = read('remotePrefix');
  const sourcePrefix = read('sourcePrefix');
  const destinationPrefix = read('destinationPrefix');
  const byEnds = sourcePrefix !== null || destinationPrefix !== null;
  if (remotePrefix !== null && byEnds)
    throw invalid('remote_ip_prefix goes with neither source_ip_prefix nor destination_ip_prefix.');
  if (remotePrefix === null && !byEnds)
    throw invalid('One of remote_ip_prefix, source_ip_prefix and destination_ip_prefix is needed.');
  if (sourcePrefix !== null && destinationPrefix !== null && isV6(sourcePrefix) !== isV6(destinationPrefix))
    throw invalid('source_ip_prefix and destination_ip_prefix are of different IP versions.');
  return { remotePrefix, sourcePrefix, destinationPrefix };
}

const isV6 = (prefix: string): boolean => prefix.includes(':');
const invalid = (message: string): Error => fail.invalid(message, { type: 'Invalid' });

export const meteringLabelNotFound = (id: string) =>
  fail.notFound(`Metering label '${id}' does not exist.`, { type: 'MeteringLabelNotFound' });
export const meteringRuleNotFound = (id: string) =>
  fail.notFound(`Metering label rule '${id}' does not exist.`, { type: 'MeteringLabelRuleNotFound' });
export const meteringRuleOverlaps = (prefix: string) =>
  fail.conflict(`Metering label rule with remote_ip_prefix '${prefix}' overlaps another.`, {
    type: 'MeteringLabelRuleOverlaps',
  });
