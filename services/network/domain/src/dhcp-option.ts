/**
 * DHCP options of a single port, as clients name them. What OVN's responder can not say is kept and shown, and never
 * reaches it; of what it can say only well-formed values do, since it reads them as a piece of its own language.
 */
import { parseIp, parsePrefix } from './address.js';
import { invalidInput } from './faults.js';
import { canonicalMac } from './mac.js';
import type { DhcpOption } from './model.js';

/** An option as a client sends it; one without a value takes it away. */
export type DhcpOptionWish = Omit<DhcpOption, 'value'> & { readonly value: string | null };

const MOST_OPTIONS = 64;
const MOST_NAME = 64;
const MOST_VALUE = 255;
/** These mean something without a value: that nothing of the kind is told. */
const MAY_BE_BLANK = new Set(['router', 'classless-static-route']);
/** Whatever ends a line somewhere, and whatever is not to be seen. */
const UNSEEN = /[\p{Cc}\u2028\u2029]/u;

/** Throws where the options are none. */
export function checkDhcpOptions(wishes: readonly DhcpOptionWish[]): void {
  for (const { name, value } of wishes) {
    const bad = (why: string): Error => invalidInput(`extra_dhcp_opts: '${name.slice(0, 64)}' ${why}`);
    if (name.trim() === '' || name.length > MOST_NAME || UNSEEN.test(name)) throw bad('is no name of an option');
    if (value === null) continue;
    if (value.trim() === '' && !MAY_BE_BLANK.has(name)) throw bad('needs a value');
    if (value.length > MOST_VALUE || UNSEEN.test(value)) throw bad('has a value that is too long or not one line');
  }
}

/** The options after an update: those named are changed or taken away, others stay. */
export function mergedDhcpOptions(now: readonly DhcpOption[], wishes: readonly DhcpOptionWish[]): DhcpOption[] {
  const keyOf = ({ name, version }: Omit<DhcpOption, 'value'>): string => `${version} ${name}`;
  const merged = new Map(now.map((option) => [keyOf(option), option]));
  for (const { name, version, value } of wishes) {
    if (value === null) merged.delete(keyOf({ name, version }));
    else merged.set(keyOf({ name, version }), { name, version, value });
  }
  if (merged.size > MOST_OPTIONS) throw invalidInput(`extra_dhcp_opts: a port has at most ${MOST_OPTIONS} options`);
  return [...merged.values()];
}

/** A value in OVN's language, or null where it is none of the type. */
type Encode = (value: string) => string | null;

const items = (value: string): string[] =>
  value
    .replace(/^\{|\}$/g, '')
    .split(',')
    .map((item) => item.trim());

const listed =
  (version: 4 | 6): Encode =>
  (value) => {
    const all = items(value);
    if (!all.every((item) => parseIp(item)?.version === version)) return null;
    return all.length === 1 ? all[0]! : `{${all.join(', ')}}`;
  };
const ipv4 = listed(4);
const ipv6 = listed(6);
const single: Encode = (value) => (parseIp(value)?.version === 4 ? value : null);
const mac: Encode = (value) => canonicalMac(value);
const quoted: Encode = (value) => {
  const bare = value.replace(/^"(.*)"$/, '$1');
  return /^[\x20-\x7e]+$/.test(bare) && !/["\\]/.test(bare) ? `"${bare}"` : null;
};
const flag: Encode = (value) => (/^(?:1|true)$/i.test(value) ? '1' : /^(?:0|false)$/i.test(value) ? '0' : null);
const whole =
  (most: number): Encode =>
  (value) =>
    /^\d{1,10}$/.test(value) && Number(value) <= most ? String(Number(value)) : null;
const [byte, word, long] = [whole(0xff), whole(0xffff), whole(0xffff_ffff)];
const host: Encode = (value) => single(value) ?? quoted(value);
const names: Encode = (value) => (/^[A-Za-z0-9.,-]+$/.test(value) ? `"${value}"` : null);
const routes: Encode = (value) => {
  const all = items(value);
  const isRoute = (item: string, at: number): boolean =>
    at % 2 === 0 ? (parsePrefix(item) ?? parseIp(item))?.version === 4 : parseIp(item)?.version === 4;
  return all.length % 2 === 0 && all.every(isRoute) ? `{${all.join(', ')}}` : null;
};

type Known = Readonly<Record<string, readonly [name: string, encode: Encode]>>;

/** By the names of dnsmasq and by number. */
const V4: Known = {
  netmask: ['netmask', single],
  1: ['netmask', single],
  router: ['router', ipv4],
  3: ['router', ipv4],
  'dns-server': ['dns_server', ipv4],
  6: ['dns_server', ipv4],
  'log-server': ['log_server', ipv4],
  7: ['log_server', ipv4],
  'lpr-server': ['lpr_server', ipv4],
  9: ['lpr_server', ipv4],
  'domain-name': ['domain_name', quoted],
  15: ['domain_name', quoted],
  'swap-server': ['swap_server', single],
  16: ['swap_server', single],
  'ip-forward-enable': ['ip_forward_enable', flag],
  19: ['ip_forward_enable', flag],
  'policy-filter': ['policy_filter', ipv4],
  21: ['policy_filter', ipv4],
  'default-ttl': ['default_ttl', byte],
  23: ['default_ttl', byte],
  mtu: ['mtu', word],
  26: ['mtu', word],
  'router-discovery': ['router_discovery', flag],
  31: ['router_discovery', flag],
  'router-solicitation': ['router_solicitation', single],
  32: ['router_solicitation', single],
  'arp-timeout': ['arp_cache_timeout', long],
  35: ['arp_cache_timeout', long],
  'ethernet-encap': ['ethernet_encap', flag],
  36: ['ethernet_encap', flag],
  'tcp-ttl': ['tcp_ttl', byte],
  37: ['tcp_ttl', byte],
  'tcp-keepalive': ['tcp_keepalive_interval', long],
  38: ['tcp_keepalive_interval', long],
  'nis-server': ['nis_server', ipv4],
  41: ['nis_server', ipv4],
  'ntp-server': ['ntp_server', ipv4],
  42: ['ntp_server', ipv4],
  'lease-time': ['lease_time', long],
  51: ['lease_time', long],
  'server-id': ['server_id', single],
  54: ['server_id', single],
  T1: ['T1', long],
  58: ['T1', long],
  T2: ['T2', long],
  59: ['T2', long],
  'tftp-server': ['tftp_server', host],
  66: ['tftp_server', host],
  'bootfile-name': ['bootfile_name', quoted],
  67: ['bootfile_name', quoted],
  'bootfile-name-alt': ['bootfile_name_alt', quoted],
  'domain-search': ['domain_search_list', names],
  119: ['domain_search_list', names],
  'classless-static-route': ['classless_static_route', routes],
  121: ['classless_static_route', routes],
  'tftp-server-address': ['tftp_server_address', ipv4],
  150: ['tftp_server_address', ipv4],
  'path-prefix': ['path_prefix', quoted],
  210: ['path_prefix', quoted],
  'ms-classless-static-route': ['ms_classless_static_route', routes],
  249: ['ms_classless_static_route', routes],
  wpad: ['wpad', quoted],
  252: ['wpad', quoted],
  'server-ip-address': ['next_server', single],
  255: ['next_server', single],
};
const V6: Known = {
  'server-id': ['server_id', mac],
  2: ['server_id', mac],
  'dns-server': ['dns_server', ipv6],
  23: ['dns_server', ipv6],
  'domain-search': ['domain_search', names],
  24: ['domain_search', names],
  'bootfile-name': ['bootfile_name', quoted],
  59: ['bootfile_name', quoted],
};
const KNOWN = { 4: V4, 6: V6 } as const;

/** The option by which a client turns DHCP off for its port. */
const DISABLED = 'dhcp_disabled';

export interface OwnDhcp {
  readonly disabled: boolean;
  /** By OVN's names; null for what is not to be told at all. */
  readonly options: ReadonlyMap<string, string | null>;
}

/** What OVN is to answer otherwise than the subnet says; nothing where it could not. */
export function ownDhcp(all: readonly DhcpOption[], version: 4 | 6): OwnDhcp {
  const own = all.filter((option) => option.version === version);
  const disabled = own.some(({ name, value }) => name === DISABLED && flag(value) === '1');
  const options = new Map<string, string | null>();
  for (const { name, value } of own) {
    const known = Object.hasOwn(KNOWN[version], name) ? KNOWN[version][name] : undefined;
    if (!known) continue;
    const [ovnName, encode] = known;
    const encoded = value.trim() === '' ? null : encode(value.trim());
    if (encoded !== null || value.trim() === '') options.set(ovnName, encoded);
  }
  return { disabled, options };
}
