/** Availability zones, hosts and aggregates: how nodes are grouped. */
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { PROJECT_READER, rule } from '#libs/platform/policy';
import { admin } from '../compute.rules.js';
import { last, looseQuery, Many } from '../paging.wire.js';
import { isoNaive } from '../values.wire.js';
import { NodeHandlers, type NodeRow } from './node.handlers.js';

const isAvailable = (node: NodeRow): boolean => node.up && !node.disabled;

const hostDetail = (node: NodeRow) => ({
  'nova-compute': { active: !node.disabled, available: node.up, updated_at: isoNaive(node.lastSeen) },
});

/** Zones by name; a zone is available while any of its nodes is. */
function zones(nodes: readonly NodeRow[], detailed: boolean) {
  const byZone = [...Map.groupBy(nodes, (node) => node.availabilityZone)].sort(([a], [b]) => (a < b ? -1 : 1));
  return byZone.map(([zoneName, members]) => ({
    zoneName,
    zoneState: { available: members.some(isAvailable) },
    hosts: detailed ? Object.fromEntries(members.map((node) => [node.name, hostDetail(node)])) : null,
  }));
}

const zoneRows: readonly Op[] = (['', '/detail'] as const).map((suffix) =>
  op(NodeHandlers, {
    method: 'GET',
    path: `/v2.1/os-availability-zone${suffix}`,
    rule: suffix
      ? admin('os-availability-zone:detail')
      : rule('os_compute_api:os-availability-zone:list', PROJECT_READER),
    status: 200,
    run: async (handlers) => ({ body: { availabilityZoneInfo: zones(await handlers.list(), suffix !== '') } }),
  }),
);

const hostsQuery = looseQuery({ zone: Many, service: Many });

const hostRows: readonly Op[] = [
  op(NodeHandlers, {
    method: 'GET',
    path: '/v2.1/os-hosts',
    until: '2.42',
    rule: admin('os-hosts:list'),
    status: 200,
    query: hostsQuery,
    run: async (handlers, call) => {
      const [zone, service] = [last(call.query.zone), last(call.query.service)];
      const nodes = service !== undefined && service !== 'compute' ? [] : await handlers.list();
      const hosts = nodes
        .filter((node) => zone === undefined || node.availabilityZone === zone)
        .map((node) => ({ host_name: node.name, service: 'compute', zone: node.availabilityZone }));
      return { body: { hosts } };
    },
  }),
  op(NodeHandlers, {
    method: 'GET',
    path: '/v2.1/os-hosts/:name',
    until: '2.42',
    rule: admin('os-hosts:show'),
    status: 200,
    run: async (handlers, call) => {
      const name = call.params['name'] ?? '';
      const node = (await handlers.list()).find((row) => row.name === name);
      if (!node) throw fail.notFound(`Compute host ${name.slice(0, 64)} could not be found.`);
      const resource = (project: string, cpu: number, memory_mb: number, disk_gb: number) => ({
        resource: { host: name, project, cpu, memory_mb, disk_gb },
      });
      const { vcpus, memoryMb, diskGb, used } = node;
      const total = resource('(total)', vcpus, memoryMb, diskGb);
      const now = resource('(used_now)', used.vcpus, used.memoryMb, used.diskGb);
      const most = resource('(used_max)', used.vcpus, used.memoryMb, used.diskGb);
      return { body: { host: [total, now, most] } };
    },
  }),
];

/** There are none: zones are given to nodes directly. */
const aggregates = op(NodeHandlers, {
  method: 'GET',
  path: '/v2.1/os-aggregates',
  rule: admin('os-aggregates:index'),
  status: 200,
  run: () => ({ body: { aggregates: [] } }),
});

export const zoneOps: readonly Op[] = [...zoneRows, ...hostRows, aggregates];
