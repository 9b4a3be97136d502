/** Security groups as compute showed them while it had a network of its own: incoming rules alone. */
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { body } from '#libs/wire';
import { looseQuery, Many } from '../paging.wire.js';

/** As the network service answers them. */
export interface ForeignRule {
  readonly id: string;
  readonly security_group_id: string;
  readonly direction: string;
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly remote_group_id: string | null;
}
export interface ForeignGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tenant_id: string;
  readonly security_group_rules: readonly ForeignRule[];
}

/** By the group's id; a group that is gone or hidden is not among them, and no rule about it is shown. */
export type GroupNames = ReadonlyMap<string, { readonly name: string; readonly tenant_id: string }>;

const ANYWHERE = '0.0.0.0/0';
const PORTS = ['tcp', 'udp'];

/** The range of ports, or of type and code: a rule of a protocol without any has all. */
function rangeOf(rule: ForeignRule): [from: number | null, to: number | null] {
  const { protocol, port_range_min: from, port_range_max: to } = rule;
  if (protocol === null || from !== null || to !== null) return [from, to];
  return PORTS.includes(protocol.toLowerCase()) ? [1, 65_535] : [-1, -1];
}

export function ruleView(rule: ForeignRule, names: GroupNames): Record<string, unknown> | undefined {
  const [from_port, to_port] = rangeOf(rule);
  const group = rule.remote_group_id === null ? undefined : names.get(rule.remote_group_id);
  if (rule.remote_group_id !== null && !group) return undefined;
  return {
    id: rule.id,
    parent_group_id: rule.security_group_id,
    ip_protocol: rule.protocol,
    from_port,
    to_port,
    group: group ?? {},
    ip_range: group ? {} : { cidr: rule.remote_ip_prefix ?? ANYWHERE },
  };
}

export const groupView = (group: ForeignGroup, names: GroupNames): Record<string, unknown> => ({
  id: group.id,
  name: group.name,
  description: group.description,
  tenant_id: group.tenant_id,
  rules: group.security_group_rules
    .filter(({ direction }) => direction === 'ingress')
    .map((rule) => ruleView(rule, names))
    .filter((rule) => rule !== undefined),
});

const natural = Type.Optional(Type.Array(Type.Integer({ minimum: 0 })));
export const groupsQuery = looseQuery({ limit: natural, offset: natural, all_tenants: Many });

const Text = Type.String({ maxLength: 255 });
export const groupBody = body(Type.Object({ security_group: Type.Object({ name: Text, description: Text }) }));

const UUID = '^[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$';
const Loose = Type.Optional(
  Type.Unsafe<string | number | null>({ type: ['string', 'integer', 'null'], maxLength: 255 }),
);
export const ruleBody = body(
  Type.Object({
    security_group_rule: Type.Object({
      parent_group_id: Type.String({ pattern: UUID }),
      group_id: Type.Optional(Type.Union([Type.String({ pattern: UUID }), Type.Null()])),
      from_port: Loose,
      to_port: Loose,
      ip_protocol: Loose,
      cidr: Loose,
    }),
  }),
);
type AskedRule = NonNullable<(typeof ruleBody)['static']>['security_group_rule'];

/** What the network service is asked for. Throws `invalid`. */
export function foreignRule(asked: AskedRule): Record<string, unknown> {
  const protocol = asked.ip_protocol == null ? '' : String(asked.ip_protocol);
  const groupId = asked.group_id ?? null;
  const [from, to] = rangeAsked(asked, protocol, groupId !== null);
  const base = { direction: 'ingress', security_group_id: asked.parent_group_id };
  if (protocol === '' || from === undefined || to === undefined) {
    if (groupId === null) throw fail.invalid('Not enough parameters to build a valid rule.');
    return { ...base, ethertype: 'IPv4', remote_group_id: groupId };
  }
  const range = checkedRange(protocol.toLowerCase(), from, to);
  if (groupId !== null) return { ...base, ...range, ethertype: 'IPv4', remote_group_id: groupId };
  const cidr = cidrAsked(asked.cidr);
  return { ...base, ...range, ethertype: cidr.includes(':') ? 'IPv6' : 'IPv4', remote_ip_prefix: cidr };
}

/** Towards a group a protocol may stand alone and means all of it. */
function rangeAsked(asked: AskedRule, protocol: string, ofGroup: boolean): [from?: number, to?: number] {
  const { from_port: from, to_port: to } = asked;
  if (ofGroup && from == null && to == null) {
    if (protocol.toLowerCase() === 'icmp') return [-1, -1];
    if (PORTS.includes(protocol.toLowerCase())) return [1, 65_535];
  }
  if (from == null || to == null || protocol === '') return [];
  const numbers: [number, number] = [Number(from), Number(to)];
  const written = [from, to].every((each) => /^\s*-?\d{1,9}\s*$/.test(String(each)));
  if (!written)
    throw fail.invalid(
      protocol.toLowerCase() === 'icmp'
        ? 'Invalid input received: Type and Code must be integers for ICMP protocol type'
        : 'Invalid input received: To and From ports must be integers',
    );
  return numbers;
}

function checkedRange(protocol: string, from: number, to: number): Record<string, unknown> {
  const bad = (why: string) => fail.invalid(`Invalid port range ${from}:${to}. ${why}`);
  if (protocol === 'icmp') {
    if (Math.min(from, to) < -1 || Math.max(from, to) > 255) throw bad('For ICMP, the type:code must be valid');
  } else if (PORTS.includes(protocol)) {
    if (from > to) throw bad('Former value cannot be greater than the later');
    if (from < 1 || to > 65_535) throw bad(`Valid ${protocol.toUpperCase()} ports should be between 1-65535`);
  } else throw fail.invalid(`Invalid IP protocol ${protocol.slice(0, 64)}.`);
  return {
    protocol,
    ...(from === -1 ? {} : { port_range_min: from }),
    ...(to === -1 ? {} : { port_range_max: to }),
  };
}

/** Whether it is a prefix at all is for the network service to say. */
function cidrAsked(asked: AskedRule['cidr']): string {
  const cidr = asked == null || asked === '' ? ANYWHERE : String(asked);
  if (/\/0$/.test(cidr) && !['0.0.0.0/0', '::/0'].includes(cidr))
    throw fail.invalid(`Bad prefix for network in cidr ${cidr}`);
  return cidr;
}
