/** What a guest may send from besides its own addresses. */
import { fail } from '#libs/kernel';
import {
  type AddressPair,
  badAttribute,
  canonicalMac,
  formatIp,
  formatPrefix,
  parseIp,
  parsePrefix,
} from '#services/network/domain';

const MOST_PAIRS = 10;

interface PairBody {
  readonly ip_address: string;
  readonly mac_address?: string | null | undefined;
}

/** Canonical pairs; one without an Ethernet address is of the port's own. */
export function readPairs(items: readonly PairBody[], portMac: string): AddressPair[] {
  if (items.length > MOST_PAIRS) {
    throw fail.invalid(`The number of allowed address pairs exceeds the maximum ${MOST_PAIRS}.`, {
      type: 'AllowedAddressPairExhausted',
    });
  }
  const pairs = items.map((item) => ({ mac: readMac(item.mac_address ?? portMac), ip: readIp(item.ip_address) }));
  const distinct = new Set(pairs.map((pair) => `${pair.mac} ${pair.ip}`));
  if (distinct.size < pairs.length) {
    throw fail.invalid('Request contains duplicate address pair.', { type: 'DuplicateAddressPairInRequest' });
  }
  return pairs;
}

export function readMac(text: string): string {
  const mac = canonicalMac(text);
  if (mac === null) throw badAttribute('mac_address', `'${text}' is not a valid MAC address.`);
  return mac;
}

function readIp(text: string): string {
  const ip = parseIp(text);
  if (ip) return formatIp(ip.version, ip.value);
  const prefix = parsePrefix(text);
  if (!prefix) throw badAttribute('allowed_address_pairs', `'${text}' is not a valid IP address or subnet.`);
  return formatPrefix(prefix);
}
