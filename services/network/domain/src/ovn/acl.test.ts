import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SecurityGroupRule } from '../model.js';
import { PROTOCOLS, type RuleWish, shapeRule } from '../security-group-rule.js';
import { groupAcls, guardAcls, ruleMatch } from './acl.js';

const born = { createdAt: new Date(0), updatedAt: new Date(0), revision: 1, tags: [] };
const GROUP = '44444444-4444-4444-8444-444444444444';
const REMOTE = '55555555-5555-4555-8555-555555555555';
const rule = (wish: Partial<RuleWish>): SecurityGroupRule => ({
  id: 'r',
  groupId: GROUP,
  projectId: 'p',
  description: '',
  ofDefaultGroup: false,
  ...shapeRule({ direction: 'ingress', ...wish }),
  ...born,
});
const own = 'outport == @pg_44444444_4444_4444_8444_444444444444';

describe('a rule as a match', () => {
  it('says what it lets through', () => {
    const cases: [Partial<RuleWish>, string][] = [
      [{}, `${own} && ip4`],
      [{ protocol: 'tcp', portMin: 22, portMax: 22 }, `${own} && ip4 && tcp && tcp.dst == 22`],
      [{ protocol: '17', portMin: 10, portMax: 20 }, `${own} && ip4 && udp && udp.dst >= 10 && udp.dst <= 20`],
      [{ protocol: 'tcp', portMin: 1, portMax: 65535 }, `${own} && ip4 && tcp`],
      [{ protocol: 'icmp', portMin: 8, portMax: 0 }, `${own} && ip4 && icmp4 && icmp4.type == 8 && icmp4.code == 0`],
      [{ protocol: 'icmp', ethertype: 'IPv6', portMin: 128 }, `${own} && ip6 && icmp6 && icmp6.type == 128`],
      [{ protocol: 'gre' }, `${own} && ip4 && ip.proto == 47`],
      [{ protocol: '200' }, `${own} && ip4 && ip.proto == 200`],
      [{ remotePrefix: '10.1.2.3/16' }, `${own} && ip4 && ip4.src == 10.1.0.0/16`],
      [{ remotePrefix: '0.0.0.0/0' }, `${own} && ip4`],
      [
        { remoteGroupId: REMOTE, ethertype: 'IPv6' },
        `${own} && ip6 && ip6.src == $pg_55555555_5555_4555_8555_555555555555_ip6`,
      ],
      [{ remoteAddressGroupId: REMOTE }, `${own} && ip4 && ip4.src == $ag_55555555_5555_4555_8555_555555555555_ip4`],
      [{ protocol: 'vrrp' }, `${own} && ip4 && ip.proto == 112`],
      [{ protocol: '0' }, `${own} && ip4 && ip.proto == 0`],
      [{ protocol: '255', ethertype: 'IPv6' }, `${own} && ip6 && ip.proto == 255`],
      [{ protocol: '1', ethertype: 'IPv6' }, `${own} && ip6 && icmp6`],
    ];
    for (const [wish, match] of cases) expect(ruleMatch(GROUP, rule(wish))).toBe(match);
  });

  it('turns round for what a guest sends', () => {
    const match = ruleMatch(
      GROUP,
      rule({ direction: 'egress', remotePrefix: '10.0.0.0/8', protocol: 'tcp', portMin: 80, portMax: 80 }),
    );
    expect(match).toBe(`${own.replace('outport', 'inport')} && ip4 && ip4.dst == 10.0.0.0/8 && tcp && tcp.dst == 80`);
  });

  it('follows the statefulness of its group', () => {
    const actions = (stateful: boolean) =>
      [...groupAcls({ id: GROUP, stateful, rules: [rule({})] }).values()].map((acl) => acl.action);
    expect(actions(true)).toEqual(['allow-related']);
    expect(actions(false)).toEqual(['allow-stateless']);
  });
});

/** OVN's expression language as far as ACLs of ours use it. */
const FIELD = '(?:ip4|ip6|ip|arp|tcp|udp|sctp|icmp4|icmp6)';
const ADDRESS = '(?:\\d+\\.\\d+\\.\\d+\\.\\d+(?:/\\d+)?|[0-9a-f:]+(?:/\\d+)?|\\$[a-z_][a-z0-9_]*)';
const TERM = new RegExp(
  `^(?:(?:in|out)port == @[a-z_][a-z0-9_]*|${FIELD}|ip[46]\\.(?:src|dst) == ${ADDRESS}|(?:tcp|udp|sctp)\\.(?:src|dst) (?:==|>=|<=) \\d+|icmp[46]\\.(?:type|code) == \\d+|ip\\.proto == \\d+)$`,
);

const port = fc.integer({ min: -5, max: 70_000 });
const prefix4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([ip, length]) => `${ip}/${length}`);
const prefix6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([ip, length]) => `${ip}/${length}`);
const ports = fc.oneof(
  fc.constant({}),
  fc
    .tuple(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 0, max: 300 }))
    .map(([min, n]) => ({ portMin: min, portMax: Math.min(min + n, 65_535) })),
  fc.record({
    portMin: fc.option(fc.integer({ min: 0, max: 255 })),
    portMax: fc.option(fc.integer({ min: 0, max: 255 })),
  }),
  fc.record({ portMin: fc.option(port), portMax: fc.option(port) }),
);
const remote = fc.oneof(
  fc.constant({}),
  prefix4.map((remotePrefix) => ({ remotePrefix })),
  prefix6.map((remotePrefix) => ({ remotePrefix })),
  fc.constant({ remoteGroupId: REMOTE }),
  fc.constant({ remoteAddressGroupId: REMOTE }),
  fc.string().map((remotePrefix) => ({ remotePrefix })),
);
const anyWish: fc.Arbitrary<RuleWish> = fc
  .tuple(
    fc.record({
      direction: fc.constantFrom('ingress', 'egress'),
      ethertype: fc.constantFrom('IPv4', 'IPv6', undefined),
      protocol: fc.oneof(
        fc.constantFrom('tcp', 'udp', 'icmp', ...PROTOCOLS.keys(), 'any', null),
        fc.integer({ min: 0, max: 260 }),
      ),
    }),
    ports,
    remote,
  )
  .map(([head, range, peer]) => ({ ...head, ...range, ...peer }));

describe('any rule that is accepted', () => {
  it('compiles to terms that OVN knows, about its own group alone', () => {
    let accepted = 0;
    const attempt = (wish: RuleWish): SecurityGroupRule | null => {
      try {
        return rule(wish);
      } catch {
        return null;
      }
    };
    fc.assert(
      fc.property(anyWish, (wish) => {
        const valid = attempt(wish);
        if (valid === null) return;
        accepted += 1;
        const terms = ruleMatch(GROUP, valid).split(' && ');
        for (const term of terms) expect(term).toMatch(TERM);
        expect(terms[0]).toContain('@pg_44444444');
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(300);
  });

  it('so do the rules that guard every port', () => {
    for (const acl of guardAcls.values()) for (const term of acl.match.split(' && ')) expect(term).toMatch(TERM);
  });
});
