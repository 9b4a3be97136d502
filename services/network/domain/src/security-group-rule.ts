/** What makes a rule valid, and the one form in which equal rules are equal. */
import { type Failure, fail } from '#libs/kernel';
import { bitsOf, formatPrefix, parseIp, parsePrefix } from './address.js';
import { badAttribute } from './faults.js';
import type { Direction, Ethertype } from './model.js';

/** Protocols by name, with their numbers (IANA). */
export const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['hopopt', 0],
  ['ip', 0],
  ['icmp', 1],
  ['igmp', 2],
  ['ipip', 4],
  ['tcp', 6],
  ['egp', 8],
  ['udp', 17],
  ['dccp', 33],
  ['ipv6-encap', 41],
  ['ipv6-route', 43],
  ['ipv6-frag', 44],
  ['rsvp', 46],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['ipv6-icmp', 58],
  ['ipv6-nonxt', 59],
  ['ipv6-opts', 60],
  ['ospf', 89],
  ['vrrp', 112],
  ['pgm', 113],
  ['sctp', 132],
  ['udplite', 136],
]);
/** Other spellings that clients send. */
const ALIASES: ReadonlyMap<string, string> = new Map([['icmpv6', 'ipv6-icmp']]);
const ONLY_IPV6 = new Set(['ipv6-encap', 'ipv6-route', 'ipv6-frag', 'ipv6-icmp', 'ipv6-nonxt', 'ipv6-opts']);
const WITH_PORTS = new Set(['tcp', 'udp', 'sctp']);

export interface RuleWish {
  readonly direction: string;
  readonly ethertype?: string | null | undefined;
  readonly protocol?: string | number | null | undefined;
  readonly portMin?: number | null | undefined;
  readonly portMax?: number | null | undefined;
  readonly remotePrefix?: string | null | undefined;
  readonly remoteGroupId?: string | null | undefined;
  readonly remoteAddressGroupId?: string | null | undefined;
}

export interface RuleShape {
  readonly direction: Direction;
  readonly ethertype: Ethertype;
  readonly protocol: string | null;
  readonly portMin: number | null;
  readonly portMax: number | null;
  /** As the client wrote it, with a length. */
  readonly remotePrefix: string | null;
  readonly remoteGroupId: string | null;
  readonly remoteAddressGroupId: string | null;
}

const refuse = (type: string, message: string): Failure => fail.invalid(message, { type });

/** Decides what the rule will be. Throws what is wrong with the wish. */
export function shapeRule(wish: RuleWish): RuleShape {
  const direction = readDirection(wish.direction);
  const ethertype = readEthertype(wish.ethertype);
  const protocol = readProtocol(wish.protocol ?? null, ethertype);
  const ports = readPorts(protocol, wish.portMin ?? null, wish.portMax ?? null);
  const remotePrefix = readPrefix(wish.remotePrefix ?? null, ethertype);
  const remotes = {
    remotePrefix,
    remoteGroupId: wish.remoteGroupId || null,
    remoteAddressGroupId: wish.remoteAddressGroupId || null,
  };
  if (Object.values(remotes).filter((remote) => remote !== null).length > 1) {
    throw refuse(
      'SecurityGroupMultipleRemoteEntites',
      'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.',
    );
  }
  return { direction, ethertype, protocol, ...ports, ...remotes };
}

function readDirection(direction: string): Direction {
  if (direction === 'ingress' || direction === 'egress') return direction;
  throw badAttribute('direction', `'${direction}' is not in ['ingress', 'egress'].`);
}

function readEthertype(text: string | null | undefined): Ethertype {
  const known = (['IPv4', 'IPv6'] as const).find((name) => name.toLowerCase() === (text ?? 'IPv4').toLowerCase());
  if (known) return known;
  const message = `Security group rule for ethertype '${text}' not supported. Allowed values are ['IPv4', 'IPv6'].`;
  throw refuse('SecurityGroupRuleInvalidEtherType', message);
}

/** The number of a protocol as rules hold it; null for any. */
export function protocolNumber(protocol: string | null): number | null {
  if (protocol === null) return null;
  return PROTOCOLS.get(protocol) ?? Number(protocol);
}

/** The name where the protocol has one, so that `6` and `tcp` are treated alike. */
export function protocolName(protocol: string | null): string | null {
  const number = protocolNumber(protocol);
  for (const [name, known] of PROTOCOLS) if (known === number) return name;
  return protocol;
}

function readProtocol(given: string | number | null, ethertype: Ethertype): string | null {
  const lower = given === null ? 'any' : String(given).toLowerCase();
  if (lower === 'any') return null;
  const numeric = /^\d{1,3}$/.test(lower);
  const text = numeric ? String(Number(lower)) : (ALIASES.get(lower) ?? lower);
  if (numeric ? Number(text) > 255 : !PROTOCOLS.has(text)) {
    const names = [...PROTOCOLS.keys()].sort().join(', ');
    const message = `Security group rule protocol ${given} not supported. Only protocol values ${names} and integer representations [0 to 255] are supported.`;
    throw refuse('SecurityGroupRuleInvalidProtocol', message);
  }
  return forEthertype(text, ethertype);
}

function forEthertype(protocol: string, ethertype: Ethertype): string {
  const name = protocolName(protocol) ?? protocol;
  if (ethertype === 'IPv6') return name === 'icmp' ? (protocol === 'icmp' ? 'ipv6-icmp' : '58') : protocol;
  if (!ONLY_IPV6.has(name)) return protocol;
  const message = `Invalid ethertype ${ethertype} for protocol ${protocol}.`;
  throw refuse('SecurityGroupEthertypeConflictWithProtocol', message);
}

type Ports = Pick<RuleShape, 'portMin' | 'portMax'>;
const ANY_PORT: Ports = { portMin: null, portMax: null };

function readPorts(protocol: string | null, min: number | null, max: number | null): Ports {
  if (min === null && max === null) return ANY_PORT;
  // The whole range says nothing, whatever the protocol.
  if (min === 1 && max === 65535) return ANY_PORT;
  if (protocol === null) {
    throw refuse('SecurityGroupProtocolRequiredWithPorts', 'Must also specify protocol if port range is given.');
  }
  const name = protocolName(protocol) ?? protocol;
  if (name === 'icmp' || name === 'ipv6-icmp') return readIcmp(min, max);
  if (!WITH_PORTS.has(name)) {
    const message = `Invalid protocol ${protocol} for port range, only supported for TCP, UDP and SCTP.`;
    throw refuse('SecurityGroupInvalidProtocolForPort', message);
  }
  for (const port of [min, max]) {
    if (port !== null && (port < 1 || port > 65535))
      throw refuse('SecurityGroupInvalidPortValue', `Invalid value for port ${port}`);
  }
  if (min === null || max === null || min > max) {
    throw refuse('SecurityGroupInvalidPortRange', 'For TCP/UDP protocols, port_range_min must be <= port_range_max');
  }
  return { portMin: min, portMax: max };
}

function readIcmp(type: number | null, code: number | null): Ports {
  const wrong = (field: string, value: number): Failure =>
    refuse('SecurityGroupInvalidIcmpValue', `Invalid value for ICMP ${field} ${value}. It must be 0 to 255.`);
  if (type === null) {
    const message = `ICMP code (port-range-max) ${code} is provided but ICMP type (port-range-min) is missing.`;
    throw refuse('SecurityGroupMissingIcmpType', message);
  }
  if (type < 0 || type > 255) throw wrong('type (port-range-min)', type);
  if (code !== null && (code < 0 || code > 255)) throw wrong('code (port-range-max)', code);
  return { portMin: type, portMax: code };
}

function readPrefix(text: string | null, ethertype: Ethertype): string | null {
  if (text === null || text === '') return null;
  const ip = parseIp(text);
  const whole = ip ? `${text}/${bitsOf(ip.version)}` : text;
  const prefix = parsePrefix(whole);
  if (!prefix)
    throw badAttribute('remote_ip_prefix', `'${text}' is neither a valid IP address, nor is it a valid IP subnet`);
  if (`IPv${prefix.version}` !== ethertype) {
    const message = `Conflicting value ethertype ${ethertype} for CIDR ${text}`;
    throw refuse('SecurityGroupRuleParameterConflict', message);
  }
  return whole;
}

/** The remote prefix with its host bits cleared, as it is matched. */
export function normalizedPrefix(rule: { readonly remotePrefix: string | null }): string | null {
  const prefix = rule.remotePrefix === null ? null : parsePrefix(rule.remotePrefix);
  return prefix && formatPrefix(prefix);
}

/** The remote prefix where it leaves anything out; rules with and without one that leaves out nothing are the same. */
export function matchedPrefix(rule: { readonly remotePrefix: string | null }): string | null {
  const prefix = normalizedPrefix(rule);
  return prefix?.endsWith('/0') ? null : prefix;
}

/** Equal for rules that say the same. */
export function ruleKey(rule: RuleShape): string {
  return JSON.stringify([
    rule.direction,
    rule.ethertype,
    protocolNumber(rule.protocol),
    rule.portMin,
    rule.portMax,
    matchedPrefix(rule),
    rule.remoteGroupId,
    rule.remoteAddressGroupId,
  ]);
}
