/** Ethernet addresses: colon-separated lower-case octets. Random bytes are inputs. */
import { formatIp, type Prefix } from './address.js';

/** The first three octets of every address that is made here; locally administered, unicast. */
export const MAC_BASE = 'fa:16:3e';
/** The first three octets of addresses that no port has: those of the DHCP responders. */
const RESPONDER_BASE = 'fa:16:3f';

const MAC = /^[0-9a-f]{2}([:-]?)(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i;

/** Canonical text of a usable (unicast, not null) Ethernet address, or null. */
export function canonicalMac(text: string): string | null {
  if (!MAC.test(text)) return null;
  const octets = text.toLowerCase().replace(/[:-]/g, '').match(/../g) ?? [];
  const multicast = (Number.parseInt(octets[0] ?? '', 16) & 1) === 1;
  if (multicast || octets.every((octet) => octet === '00')) return null;
  return octets.join(':');
}

/** An address below the base from 24 random bits. */
export function macFrom(random: number): string {
  const octets = [16, 8, 0].map((shift) => ((random >>> shift) & 255).toString(16).padStart(2, '0'));
  return `${MAC_BASE}:${octets.join(':')}`;
}

/** The address that a subnet's DHCP responder answers from: the same one for the same id, always. */
export function responderMac(id: string): string {
  const octets = id.replaceAll('-', '').slice(-6).match(/../g) ?? [];
  return `${RESPONDER_BASE}:${octets.join(':').toLowerCase()}`;
}

/** The address that a host forms for itself in a /64 from its Ethernet address (RFC 4291, appendix A). */
export function eui64(prefix: Prefix, mac: string): string {
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = mac.split(':').map((octet) => BigInt(`0x${octet}`));
  const id = [a ^ 2n, b, c, 0xffn, 0xfen, d, e, f].reduce((value, octet) => (value << 8n) | octet, 0n);
  return formatIp(6, prefix.first | id);
}
