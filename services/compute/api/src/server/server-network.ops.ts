/** The security groups of a server, as network knows them at the time of the request. */
import { Injectable } from '@nestjs/common';
import type { networkGroupsV1 } from '#libs/contract';
import { type Op, op } from '#libs/platform/http';
import { ownPortIds, ownPorts, type Server } from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { reader } from '../compute.rules.js';
import { ServerHandlers } from './server.handlers.js';
import { loadServer } from './server-target.js';

@Injectable()
export class ServerNetworkHandlers {
  constructor(
    private readonly servers: ServerHandlers,
    private readonly peers: Peers,
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** The groups in force on any of the server's ports, with their rules. */
  async groups(server: Server): Promise<networkGroupsV1.DescribedGroup[]> {
    const { servers } = await this.peers.network.listForServers({ serverIds: [server.id] });
    const ports = ownPorts(
      server,
      servers.flatMap((one) => one.ports),
    );
    const groupIds = [...new Set(ports.flatMap((port) => port.securityGroups.map(({ id }) => id)))];
    if (!groupIds.length) return [];
    return (await this.peers.groups.describe({ projectId: server.projectId, groupIds })).groups;
  }

  /** Adds or removes one group on all ports. Network's reasons pass: an unknown group is not found. */
  async changeGroups(server: Server, change: { readonly add?: string; readonly remove?: string }): Promise<void> {
    const { projectId, id } = server;
    const add = change.add === undefined ? [] : [change.add];
    const remove = change.remove === undefined ? [] : [change.remove];
    const request = { serverId: id, projectId, add, remove, portIds: [...ownPortIds(server)] };
    const { ports } = await this.peers.network.setServerGroups(request);
    const groups = new Map(
      ownPorts(server, ports).flatMap((port) => port.securityGroups.map((group) => [group.id + group.name, group])),
    );
    const { db, servers } = this.books;
    await servers.patch(db, id, { securityGroups: [...groups.values()] }, this.around.clock.now());
  }
}

/** A group as the older network service showed it: incoming rules alone. */
const groupView = (group: networkGroupsV1.DescribedGroup) => ({
  id: group.id,
  name: group.name,
  description: group.description,
  tenant_id: group.projectId,
  rules: group.rules.filter(({ direction }) => direction === 'ingress').map((rule) => ruleView(group.id, rule)),
});

const ruleView = (groupId: string, rule: networkGroupsV1.GroupRule) => ({
  id: rule.id,
  parent_group_id: groupId,
  ip_protocol: rule.protocol || null,
  from_port: rule.portRangeMin ?? null,
  to_port: rule.portRangeMax ?? null,
  ...(rule.remoteGroupId
    ? { group: { name: rule.remoteGroupName, tenant_id: rule.remoteGroupProjectId }, ip_range: {} }
    : { group: {}, ip_range: { cidr: rule.remoteIpPrefix || (rule.ethertype === 'IPv6' ? '::/0' : '0.0.0.0/0') } }),
});

export const serverNetworkOps: readonly Op[] = [
  op(ServerNetworkHandlers, {
    method: 'GET',
    path: '/v2.1/servers/:id/os-security-groups',
    rule: reader('os-security-groups:list'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, _call, server) => ({
      body: { security_groups: (await handlers.groups(server)).map(groupView) },
    }),
  }),
];
