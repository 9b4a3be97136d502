/** Servers against what is held for them and what is on the nodes. */
import type { BookRow } from './books.js';
import { finding, orphans, type Rule } from './finding.js';

/** By the state of a server that is on a node: those in which its domain may be. */
const DOMAIN_STATES: Readonly<Record<string, readonly string[]>> = {
  active: ['running'],
  // A watchdog or a fault may have switched it off.
  stopped: ['stopped', 'crashed'],
  paused: ['paused'],
  suspended: ['suspended'],
  shelved: ['stopped', 'crashed'],
  // Whoever is inside may switch it off.
  rescued: ['running', 'stopped', 'crashed'],
  // As it was before: running or not.
  resized: ['running', 'stopped', 'crashed'],
};
const onNode = (row: BookRow): boolean => row.node !== '' && row.state in DOMAIN_STATES;

const allocations: Rule = ({ books, settled }) => {
  const held = books.byServer('allocation');
  return settled.filter(onNode).flatMap((server) => {
    const rows = held.get(server.id) ?? [];
    if (!rows.length)
      return [
        finding(
          'server-without-allocation',
          server,
          `server ${server.id} runs on ${server.node} without an allocation`,
        ),
      ];
    return rows
      .filter((row) => row.node !== server.node)
      .map((row) =>
        finding(
          'allocation-on-other-node',
          server,
          `server ${server.id} is on ${server.node}, its allocation on ${row.node}`,
        ),
      );
  });
};

const failedServersHoldNothing: Rule = ({ books, settled }) => {
  const held = books.byServer('allocation');
  return settled
    .filter((server) => server.node === '' && held.has(server.id))
    .map((server) =>
      finding('allocation-of-unplaced-server', server, `server ${server.id} is on no node and holds an allocation`),
    );
};

/** Off the shelf or never made: nothing of it may be anywhere. */
const unplacedServersAreNowhere: Rule = ({ books, settled }) =>
  (['domain', 'disk'] as const).flatMap((kind) => {
    const found = books.byServer(kind);
    return settled
      .filter((server) => server.node === '')
      .flatMap((server) => found.get(server.id) ?? [])
      .map((row) =>
        finding(
          `${kind}-of-unplaced-server`,
          row,
          `server ${row.serverId} is on no node and has a ${kind} on ${row.node}`,
        ),
      );
  });

const domains: Rule = ({ books, settled, seen }) => {
  const found = books.byServer('domain');
  return settled
    .filter((server) => onNode(server) && seen.has(server.node))
    .flatMap((server) => {
      const rows = found.get(server.id) ?? [];
      if (!rows.length)
        return [finding('server-without-domain', server, `server ${server.id} has no domain on ${server.node}`)];
      const elsewhere = rows
        .filter((row) => row.node !== server.node)
        .map((row) =>
          finding(
            'domain-on-other-node',
            row,
            `server ${server.id} belongs on ${server.node} and has a domain on ${row.node}`,
          ),
        );
      const here = rows.find((row) => row.node === server.node);
      const differs = here && !DOMAIN_STATES[server.state]!.includes(here.state);
      return differs
        ? [
            ...elsewhere,
            finding(
              'domain-in-other-state',
              here,
              `server ${server.id} is ${server.state} and its domain is ${here.state}`,
            ),
          ]
        : elsewhere;
    });
};

const disks: Rule = ({ books, settled, seen }) => {
  const found = new Set(books.all('disk').map((row) => `${row.node}/${row.serverId}`));
  return settled
    .filter((server) => onNode(server) && seen.has(server.node) && !found.has(`${server.node}/${server.id}`))
    .map((server) => finding('server-without-disk', server, `server ${server.id} has no disk on ${server.node}`));
};

/** A debt waits for its node; only one whose node answers is a mismatch. */
const debts: Rule = ({ books, seen }) =>
  books
    .all('debt')
    .filter((row) => seen.has(row.node))
    .map((row) =>
      finding('debt-not-settled', row, `${row.node} answers and still owes: ${row.facts['what'] ?? row.id}`),
    );

export const serverRules: readonly Rule[] = [
  allocations,
  failedServersHoldNothing,
  unplacedServersAreNowhere,
  orphans('allocation', 'allocation-without-server', 'an allocation'),
  domains,
  orphans('domain', 'domain-without-server', 'a domain'),
  disks,
  orphans('disk', 'disk-without-server', 'a disk'),
  debts,
];
