/** Availability zones: what tenants see of how nodes are grouped. */
import { type Op, op } from '#libs/platform/http';
import { PROJECT_READER, rule } from '#libs/platform/policy';
import { admin } from '../compute.rules.js';
import { isoNaive } from '../values.wire.js';
import { NodeHandlers, type SeenNode } from './node.handlers.js';

const isAvailable = (node: SeenNode): boolean => node.up && !node.disabled;

const hostDetail = (node: SeenNode) => ({
  'nova-compute': { active: !node.disabled, available: node.up, updated_at: isoNaive(node.lastSeen) },
});

/** Zones by name; a zone is available while any of its nodes is. */
function zones(nodes: readonly SeenNode[], detailed: boolean) {
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
    run: async (handlers) => ({ body: { availabilityZoneInfo: zones(await handlers.seen(), suffix !== '') } }),
  }),
);

export const zoneOps: readonly Op[] = zoneRows;
