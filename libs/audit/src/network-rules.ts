/** The network service against OVN, and the nodes' taps against the ports. */
import type { BookRow } from './books.js';
import { finding, orphans, type Rule } from './finding.js';

/** Each kind of resource that must be in OVN, beside the rows that stand for it there. */
const REALIZED = [
  { kind: 'port', mirror: 'ovn_port', code: 'port', called: 'port' },
  { kind: 'security_group', mirror: 'ovn_port_group', code: 'security-group', called: 'security group' },
  { kind: 'address_group', mirror: 'ovn_address_set', code: 'address-group', called: 'address group' },
  { kind: 'router', mirror: 'ovn_router', code: 'router', called: 'router' },
  { kind: 'floatingip', mirror: 'ovn_floatingip', code: 'floating-ip', called: 'floating IP' },
  { kind: 'port_forwarding', mirror: 'ovn_port_forwarding', code: 'port-forwarding', called: 'port forwarding' },
] as const;

/** What the network service has and OVN has not, and the other way round; what is on its way is neither. */
const realized: Rule = ({ books }) =>
  REALIZED.flatMap(({ kind, mirror, code, called }) => {
    const there = books.byId(mirror);
    const known = books.byId(kind);
    const settled = (row: BookRow): boolean => row.facts['dirty'] !== 'true';
    const missing = books
      .all(kind)
      .filter((row) => settled(row) && !there.has(row.id))
      .map((row) => finding(`${code}-not-in-ovn`, row, `${called} ${row.id} is not in OVN`));
    const strange = books
      .all(mirror)
      .filter((row) => settled(row) && !known.has(row.id))
      .map((row) =>
        finding(
          `ovn-${code}-without-${code}`,
          row,
          `OVN has ${called} ${row.id}, which the network service does not know`,
        ),
      );
    return [...missing, ...strange];
  });

/** Rows that somebody else put into OVN: left alone, and told, since they may let through what ours do not. */
const foreignRows: Rule = ({ books }) =>
  books
    .all('ovn_foreign')
    .map((row) =>
      finding(
        'ovn-row-of-others',
        row,
        `OVN's table ${row.facts['table']} has row ${row.id}, which is not of this cloud`,
      ),
    );

const taps: Rule = ({ books, busy }) => {
  const known = books.byId('port');
  return books
    .all('tap')
    .filter((row) => !known.has(row.id) && !busy.has(row.serverId))
    .map((row) =>
      finding(
        'tap-without-port',
        row,
        `${row.facts['device'] ?? 'a tap'} on ${row.node} is plugged for port ${row.id}, which does not exist`,
      ),
    );
};

export const networkRules: readonly Rule[] = [
  realized,
  orphans('port', 'port-without-server', 'a port'),
  foreignRows,
  taps,
];
