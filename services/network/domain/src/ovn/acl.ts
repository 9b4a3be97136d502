/**
 * Security groups as port groups with ACLs. Every port that is guarded is a member of one group that drops
 * everything but ARP in both directions; each rule of its groups lets something through at a higher
 * priority. What a rule of one group says never touches the ports of another.
 */
import type { SecurityGroup, SecurityGroupRule } from '../model.js';
import { matchedPrefix, protocolName, protocolNumber } from '../security-group-rule.js';
import { addressSetName } from './address-set.js';
import { KIND, mapOf, type NbTables } from './rows.js';

type Acl = NbTables['ACL'];

const DROP = 1001;
const ALLOW = 1002;
const ALWAYS_DROP = 1003;

export const portGroupName = (groupId: string): string => `pg_${groupId.replaceAll('-', '_')}`;

/** The group of all guarded ports. */
export const GUARD_NAME = 'pg_guard';
export const GUARD_ID = '9a9c0b5e-0d7f-4f0e-8a51-67617264aa00';
const guardAcl = (n: number): string => `9a9c0b5e-0d7f-4f0e-8a51-67617264aa${n.toString(16).padStart(2, '0')}`;

export const groupRow = (groupId: string, projectId: string): NbTables['Port_Group'] => ({
  name: portGroupName(groupId),
  external_ids: mapOf({ [KIND]: 'security_group', 'yagura:project': projectId }),
});
export const guardRow: NbTables['Port_Group'] = { name: GUARD_NAME, external_ids: mapOf({ [KIND]: 'guard' }) };

const acl = (kind: string, direction: string, priority: number, match: string, action: string): Acl => ({
  direction,
  priority,
  match,
  action,
  external_ids: mapOf({ [KIND]: kind }),
});

/**
 * Dropped unless a rule allows it: everything. Always let through: ARP (whose contents port security checks), and a guest
 * that asks for its address. Never: a guest that plays the DHCP server. Neighbour discovery is let through by OVN itself.
 * OVN can not match "neither IP nor ARP", so the drop names no protocol.
 */
const GUARD: readonly (readonly [direction: string, priority: number, match: string, action: string])[] = [
  ['from-lport', DROP, `inport == @${GUARD_NAME}`, 'drop'],
  ['to-lport', DROP, `outport == @${GUARD_NAME}`, 'drop'],
  ['from-lport', ALLOW, `inport == @${GUARD_NAME} && arp`, 'allow'],
  ['to-lport', ALLOW, `outport == @${GUARD_NAME} && arp`, 'allow'],
  ['from-lport', ALWAYS_DROP, `inport == @${GUARD_NAME} && ip4 && udp.src == 67 && udp.dst == 68`, 'drop'],
  ['from-lport', ALWAYS_DROP, `inport == @${GUARD_NAME} && ip6 && udp.src == 547 && udp.dst == 546`, 'drop'],
  ['from-lport', ALLOW, `inport == @${GUARD_NAME} && ip4 && udp.src == 68 && udp.dst == 67`, 'allow'],
  ['from-lport', ALLOW, `inport == @${GUARD_NAME} && ip6 && udp.src == 546 && udp.dst == 547`, 'allow'],
];

export const guardAcls: ReadonlyMap<string, Acl> = new Map(
  GUARD.map(([direction, priority, match, action], index) => [
    guardAcl(index + 1),
    acl('guard', direction, priority, match, action),
  ]),
);

/** The ACL of each rule, by the rule's id. */
export function groupAcls(group: Pick<SecurityGroup, 'id' | 'stateful' | 'rules'>): ReadonlyMap<string, Acl> {
  const action = group.stateful ? 'allow-related' : 'allow-stateless';
  return new Map(
    group.rules.map((rule) => {
      const direction = rule.direction === 'ingress' ? 'to-lport' : 'from-lport';
      return [rule.id, acl('security_group_rule', direction, ALLOW, ruleMatch(group.id, rule), action)];
    }),
  );
}

/** What a rule lets through, in OVN's language. */
export function ruleMatch(groupId: string, rule: SecurityGroupRule): string {
  const port = rule.direction === 'ingress' ? 'outport' : 'inport';
  const parts = [`${port} == @${portGroupName(groupId)}`, rule.ethertype === 'IPv4' ? 'ip4' : 'ip6'];
  return [...parts, ...remoteMatch(rule), ...protocolMatch(rule)].join(' && ');
}

function remoteMatch(rule: SecurityGroupRule): string[] {
  const ip = rule.ethertype === 'IPv4' ? 'ip4' : 'ip6';
  const end = rule.direction === 'ingress' ? 'src' : 'dst';
  const prefix = matchedPrefix(rule);
  if (rule.remoteGroupId !== null) return [`${ip}.${end} == $${portGroupName(rule.remoteGroupId)}_${ip}`];
  if (rule.remoteAddressGroupId !== null)
    return [`${ip}.${end} == $${addressSetName(rule.remoteAddressGroupId, rule.ethertype)}`];
  return prefix === null ? [] : [`${ip}.${end} == ${prefix}`];
}

function protocolMatch(rule: SecurityGroupRule): string[] {
  const name = protocolName(rule.protocol);
  if (name === null) return [];
  if (name === 'icmp') return icmpMatch('icmp4', rule);
  if (name === 'ipv6-icmp') return icmpMatch('icmp6', rule);
  if (name === 'tcp' || name === 'udp' || name === 'sctp') return [name, ...portMatch(name, rule)];
  return [`ip.proto == ${protocolNumber(rule.protocol)}`];
}

function icmpMatch(icmp: 'icmp4' | 'icmp6', rule: SecurityGroupRule): string[] {
  const type = rule.portMin === null ? [] : [`${icmp}.type == ${rule.portMin}`];
  const code = rule.portMax === null ? [] : [`${icmp}.code == ${rule.portMax}`];
  return [icmp, ...type, ...code];
}

function portMatch(name: string, rule: SecurityGroupRule): string[] {
  const { portMin, portMax } = rule;
  if (portMin === null || portMax === null || (portMin === 1 && portMax === 65535)) return [];
  if (portMin === portMax) return [`${name}.dst == ${portMin}`];
  return [`${name}.dst >= ${portMin}`, `${name}.dst <= ${portMax}`];
}
