/** Hypervisors: the nodes as operators see them. */
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { during, type Field, view } from '#libs/wire';
import { admin } from '../compute.rules.js';
import { last, linksToNext, looseQuery, pageOf, pageSize } from '../paging.wire.js';
import { truthOf } from '../values.wire.js';
import { NodeHandlers, type NodeRow } from './node.handlers.js';

interface Row extends NodeRow {
  readonly withServers: boolean;
}

const SINCE_UUID = 2_053;
const SINCE_SERVERS_ALWAYS = 2_075;
const servers = (row: NodeRow) => row.servers.map(({ id, name }) => ({ uuid: id, name }));

const briefFields: readonly Field<Row>[] = [
  { name: 'id', until: '2.52', from: (node) => node.number },
  { name: 'id', since: '2.53', from: (node) => node.hypervisorId },
  { name: 'hypervisor_hostname', from: (node) => node.name },
  { name: 'state', from: (node) => (node.up ? 'up' : 'down') },
  { name: 'status', from: (node) => (node.disabled ? 'disabled' : 'enabled') },
];
/** Servers are shown where they were asked for; a node without any leaves them out up to 2.74. */
const serverField: Field<Row> = {
  name: 'servers',
  since: '2.53',
  from: (node, { version }) => {
    if (!node.withServers || (!node.servers.length && version < SINCE_SERVERS_ALWAYS)) return undefined;
    return servers(node);
  },
};

const capacity: readonly Field<Row>[] = [
  { name: 'cpu_info', until: '2.27', from: (node) => JSON.stringify(node.cpuInfo) },
  { name: 'cpu_info', since: '2.28', from: (node) => node.cpuInfo },
  { name: 'current_workload', from: (node) => node.used.busy },
  { name: 'vcpus', from: (node) => node.vcpus },
  { name: 'vcpus_used', from: (node) => node.used.vcpus },
  { name: 'memory_mb', from: (node) => node.memoryMb },
  { name: 'memory_mb_used', from: (node) => node.used.memoryMb },
  { name: 'free_ram_mb', from: (node) => node.memoryMb - node.used.memoryMb },
  { name: 'local_gb', from: (node) => node.diskGb },
  { name: 'local_gb_used', from: (node) => node.used.diskGb },
  { name: 'free_disk_gb', from: (node) => node.diskGb - node.used.diskGb },
  { name: 'disk_available_least', from: (node) => node.freeDiskGb },
  { name: 'running_vms', from: (node) => node.used.servers },
];

const detailFields: readonly Field<Row>[] = [
  ...briefFields,
  { name: 'host_ip', from: (node) => node.address || null },
  { name: 'hypervisor_type', from: (node) => node.hypervisorType },
  { name: 'hypervisor_version', from: (node) => node.hypervisorVersion },
  {
    name: 'service',
    from: (node, { version }) => ({
      host: node.name,
      id: version < SINCE_UUID ? node.number : node.serviceId,
      disabled_reason: node.disabledReason,
    }),
  },
  ...capacity.map((field) => ({ ...field, until: field.until ?? '2.87' })),
  { name: 'uptime', since: '2.88', from: (node) => uptimeText(node) },
  serverField,
];

const briefHypervisor = view<Row>([...briefFields, serverField]);
const shownHypervisor = view<Row>(detailFields);

/** As `uptime` prints it, from the node's latest beat. */
function uptimeText(node: NodeRow): string {
  const minutes = Math.floor(node.uptimeS / 60);
  const [days, hours, rest] = [Math.floor(minutes / 1_440), Math.floor(minutes / 60) % 24, minutes % 60];
  const at = node.lastSeen.toISOString().slice(11, 19);
  const clock = `${hours}:${String(rest).padStart(2, '0')}`;
  return ` ${at} up ${days} days, ${clock},  0 users,  load average: ${node.loadAverage || '0.00, 0.00, 0.00'}`;
}

const flagText = Type.Optional(Type.Array(Type.String({ maxLength: 20 }), during({ since: '2.53' })));
const listQuery = looseQuery({
  limit: Type.Optional(Type.Integer({ minimum: 0, ...during({ since: '2.33' }) })),
  marker: Type.Optional(Type.String({ maxLength: 255, ...during({ since: '2.33' }) })),
  hypervisor_hostname_pattern: Type.Optional(Type.String({ maxLength: 255, ...during({ since: '2.53' }) })),
  with_servers: flagText,
});
const showQuery = looseQuery({ with_servers: flagText });

function wantsServers(words: readonly string[] | undefined): boolean {
  const word = last(words);
  if (word === undefined) return false;
  const wanted = truthOf(word);
  if (wanted === undefined) throw fail.invalid(`Invalid input for query parameters with_servers. Value: ${word}.`);
  return wanted;
}

const isUuidTime = (version: number): boolean => version >= SINCE_UUID;
const matches = (node: NodeRow, pattern: string): boolean => node.name.toLowerCase().includes(pattern.toLowerCase());

const lists: readonly Op[] = (['', '/detail'] as const).map((suffix) =>
  op(NodeHandlers, {
    method: 'GET',
    path: `/v2.1/os-hypervisors${suffix}`,
    rule: admin(suffix ? 'os-hypervisors:list-detail' : 'os-hypervisors:list'),
    status: 200,
    query: listQuery,
    run: async (handlers, call) => {
      const { hypervisor_hostname_pattern: pattern, marker, with_servers } = call.query;
      const withServers = wantsServers(with_servers);
      if (pattern !== undefined && (marker !== undefined || call.query.limit !== undefined))
        throw fail.invalid(
          'Paging over results with the hypervisor_hostname_pattern query parameter is not supported.',
        );
      const byUuid = isUuidTime(call.version);
      const idOf = (node: NodeRow): string => (byUuid ? node.hypervisorId : String(node.number));
      const limit = pageSize(call.query.limit);
      const rows =
        pattern === undefined
          ? await handlers.page(marker, limit, byUuid, withServers)
          : (await handlers.list(withServers)).filter((node) => matches(node, pattern));
      if (pattern !== undefined && !rows.length)
        throw fail.notFound(`No hypervisor matching '${pattern.slice(0, 64)}' could be found.`);
      const shown = pageOf(rows, limit);
      const render = suffix ? shownHypervisor : briefHypervisor;
      const hypervisors = shown.page.map((node) => render({ ...node, withServers }, call));
      return { body: { hypervisors, ...linksToNext(call, 'hypervisors', shown, idOf) } };
    },
  }),
);

const statistics = op(NodeHandlers, {
  method: 'GET',
  path: '/v2.1/os-hypervisors/statistics',
  until: '2.87',
  rule: admin('os-hypervisors:statistics'),
  status: 200,
  run: async (handlers, call) => {
    const rows = (await handlers.list()).filter((node) => !node.disabled);
    const shown = rows.map((node) => shownHypervisor({ ...node, withServers: false }, call));
    const sum = (field: string): number => shown.reduce((total, row) => total + Number(row[field] ?? 0), 0);
    const names = capacity.map(({ name }) => name).filter((name) => name !== 'cpu_info');
    const hypervisor_statistics = { count: rows.length, ...Object.fromEntries(names.map((name) => [name, sum(name)])) };
    return { body: { hypervisor_statistics } };
  },
});

const id = (call: { readonly params: Readonly<Record<string, string>> }): string => call.params['id'] ?? '';

const single: readonly Op[] = [
  op(NodeHandlers, {
    method: 'GET',
    path: '/v2.1/os-hypervisors/:id',
    rule: admin('os-hypervisors:show'),
    status: 200,
    query: showQuery,
    run: async (handlers, call) => {
      const withServers = wantsServers(call.query.with_servers);
      const node = await handlers.find(id(call), isUuidTime(call.version), withServers);
      return { body: { hypervisor: shownHypervisor({ ...node, withServers }, call) } };
    },
  }),
  op(NodeHandlers, {
    method: 'GET',
    path: '/v2.1/os-hypervisors/:id/uptime',
    until: '2.87',
    rule: admin('os-hypervisors:uptime'),
    status: 200,
    run: async (handlers, call) => {
      const node = await handlers.find(id(call), isUuidTime(call.version));
      if (!node.up) throw fail.invalid(`The node ${node.name} is down.`);
      const shown = briefHypervisor({ ...node, withServers: false }, call);
      return { body: { hypervisor: { ...shown, uptime: uptimeText(node) } } };
    },
  }),
];

/** Up to 2.52 the last part but one of the path is a pattern of names. */
const byPattern: readonly Op[] = (['search', 'servers'] as const).map((what) =>
  op(NodeHandlers, {
    method: 'GET',
    path: `/v2.1/os-hypervisors/:id/${what}`,
    until: '2.52',
    rule: admin(`os-hypervisors:${what}`),
    status: 200,
    run: async (handlers, call) => {
      const found = (await handlers.list(what === 'servers')).filter((node) => matches(node, id(call)));
      if (!found.length) throw fail.notFound(`No hypervisor matching '${id(call).slice(0, 64)}' could be found.`);
      const hypervisors = found.map((node) => ({
        ...briefHypervisor({ ...node, withServers: false }, call),
        ...(what === 'servers' && node.servers.length ? { servers: servers(node) } : {}),
      }));
      return { body: { hypervisors } };
    },
  }),
);

export const hypervisorOps: readonly Op[] = [...lists, statistics, ...single, ...byPattern];
