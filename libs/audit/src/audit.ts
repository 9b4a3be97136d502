/**
 * The auditor: what the services' books say against each other, and what is really on the nodes against both.
 * It reports what does not match, and nothing else. A server with work in progress is between two states, so nothing
 * about it is a finding; nor is anything on a node that could not be asked, beyond that fact itself.
 */
import { type BookRow, Books } from './books.js';

export interface Finding {
  /** Stable name of the kind of mismatch, such as `allocation-without-server`. */
  readonly code: string;
  /** Id of the thing that does not match. */
  readonly id: string;
  readonly node: string;
  readonly message: string;
}

/** Everything a rule looks at. */
interface Ground {
  readonly books: Books;
  readonly servers: ReadonlyMap<string, BookRow>;
  readonly settled: readonly BookRow[];
  /** Nodes whose inventory was read. */
  readonly seen: ReadonlySet<string>;
  /** Servers that a debt or a running task still has to clear away. */
  readonly busy: ReadonlySet<string>;
}

type Rule = (ground: Ground) => Finding[];

const finding = (code: string, row: BookRow, message: string): Finding => ({
  code,
  id: row.id,
  node: row.node,
  message,
});

const onNode = (row: BookRow): boolean => row.node !== '' && (row.state === 'active' || row.state === 'stopped');

/** Rows of a kind that name a server which does not exist, as findings. */
function orphans(kind: string, code: string, what: string): Rule {
  return ({ books, servers, busy }) =>
    books
      .all(kind)
      .filter((row) => row.serverId !== '' && !servers.has(row.serverId) && !busy.has(row.serverId))
      .map((row) => finding(code, row, `${what} belongs to server ${row.serverId}, which does not exist`));
}

const nodesUnheard: Rule = ({ books, seen }) =>
  books
    .all('node')
    .filter((row) => row.state === 'up' && !seen.has(row.id))
    .map((row) =>
      finding(
        'node-not-audited',
        row,
        `the inventory of node ${row.id} could not be read: ${row.facts['inventory'] ?? 'no answer'}`,
      ),
    );

const nodesDown: Rule = ({ books }) =>
  books
    .all('node')
    .filter((row) => row.state === 'down')
    .map((row) => finding('node-down', row, `node ${row.id} does not report: ${row.facts['reason'] ?? 'no beat'}`));

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
      const wanted = server.state === 'active' ? 'running' : 'stopped';
      const differs = here && here.state !== wanted;
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

const usage: Rule = ({ books }) =>
  books
    .all('usage')
    .filter((row) => row.facts['recorded'] !== row.facts['counted'])
    .map((row) =>
      finding('usage-differs', row, `${row.id}: recorded ${row.facts['recorded']}, counted ${row.facts['counted']}`),
    );

const capacity: Rule = ({ books }) =>
  books
    .all('inventory')
    .filter((row) => Number(row.facts['used']) > Number(row.facts['capacity']))
    .map((row) =>
      finding(
        'node-oversubscribed',
        row,
        `${row.node} holds ${row.facts['used']} ${row.facts['class']} of ${row.facts['capacity']}`,
      ),
    );

const stuck: Rule = ({ books }) =>
  books
    .all('task_stuck')
    .map((row) =>
      finding(
        'task-stuck',
        row,
        `task ${row.facts['kind'] ?? ''} ${row.id} needs a decision: ${row.facts['error'] ?? row.state}`,
      ),
    );

/** A debt waits for its node; only one whose node answers is a mismatch. */
const debts: Rule = ({ books, seen }) =>
  books
    .all('debt')
    .filter((row) => seen.has(row.node))
    .map((row) =>
      finding('debt-not-settled', row, `${row.node} answers and still owes: ${row.facts['what'] ?? row.id}`),
    );

const quarantined: Rule = ({ books }) =>
  books
    .all('quarantine')
    .map((row) =>
      finding('quarantined', row, `${row.id} on ${row.node} is of nothing that is known; it was left alone`),
    );

const images: Rule = ({ books }) => {
  const files = books.byId('image_file');
  const rows = books.byId('image');
  const missing = books
    .all('image')
    .filter((row) => (row.state === 'active' || row.state === 'deactivated') && !files.has(row.id))
    .map((row) => finding('image-without-file', row, `image ${row.id} is ${row.state} and has no file`));
  const extra = books
    .all('image_file')
    .filter((row) => !rows.has(row.id))
    .map((row) =>
      finding('file-without-image', row, `a file of image ${row.id} is stored, and there is no such image`),
    );
  return [...missing, ...extra];
};

const RULES: readonly Rule[] = [
  nodesDown,
  nodesUnheard,
  allocations,
  failedServersHoldNothing,
  unplacedServersAreNowhere,
  orphans('allocation', 'allocation-without-server', 'an allocation'),
  domains,
  orphans('domain', 'domain-without-server', 'a domain'),
  disks,
  orphans('disk', 'disk-without-server', 'a disk'),
  realized,
  orphans('port', 'port-without-server', 'a port'),
  foreignRows,
  taps,
  usage,
  capacity,
  stuck,
  debts,
  quarantined,
  images,
];

/** What does not match, sorted by code and id. */
export function audit(rows: readonly BookRow[]): Finding[] {
  const books = new Books(rows);
  const servers = books.byId('server');
  const seen = new Set(
    books
      .all('node')
      .filter((row) => row.facts['inventory'] === 'ok')
      .map((row) => row.id),
  );
  const inProgress = [...servers.values()].filter((row) => row.facts['task'] === 'running').map((row) => row.id);
  const busy = new Set([
    ...inProgress,
    ...books.all('debt').map((row) => row.serverId),
    ...books.all('task_running').map((row) => row.serverId),
  ]);
  const settled = [...servers.values()].filter((row) => !busy.has(row.id));
  const ground: Ground = { books, servers, settled, seen, busy };
  return RULES.flatMap((rule) => rule(ground)).sort((a, b) => `${a.code} ${a.id}`.localeCompare(`${b.code} ${b.id}`));
}

/** Findings of two looks some moments apart: what is in both is real, the rest was on its way. */
export function persistent(first: readonly Finding[], second: readonly Finding[]): Finding[] {
  const before = new Set(first.map((found) => `${found.code} ${found.id} ${found.node}`));
  return second.filter((found) => before.has(`${found.code} ${found.id} ${found.node}`));
}
