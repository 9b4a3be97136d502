/** What network knows of a server: its interfaces and security groups, asked at the time of the request. */
import { Injectable } from '@nestjs/common';
import type { networkGroupsV1, networkV1 } from '#libs/contract';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { type Field, view } from '#libs/wire';
import { ownPortIds, ownPorts, type Server } from '#services/compute/domain';
import { Books, Peers, Surroundings } from '../books.js';
import { reader } from '../compute.rules.js';
import { ServerHandlers } from './server.handlers.js';
import { loadServer } from './server-target.js';

interface Attachment extends networkV1.Port {
  /** The tag that the tenant gave the interface, or null. */
  readonly interfaceTag: string | null;
}

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

  /** In the order of the server's interfaces. */
  async attachments(server: Server): Promise<Attachment[]> {
    const { servers } = await this.peers.network.listForServers({ serverIds: [server.id] });
    const ports = ownPorts(server, servers.find(({ serverId }) => serverId === server.id)?.ports ?? []);
    return ports.map((port) => ({
      ...port,
      interfaceTag: server.nics.find(({ portId }) => portId === port.id)?.tag || null,
    }));
  }

  /** The groups in force on any of the server's ports, with their rules. */
  async groups(server: Server): Promise<networkGroupsV1.DescribedGroup[]> {
    const ports = await this.attachments(server);
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

const attachmentFields: readonly Field<Attachment>[] = [
  { name: 'port_state', from: (port) => port.status },
  {
    name: 'fixed_ips',
    from: (port) => port.fixedIps.map(({ subnetId, address }) => ({ subnet_id: subnetId, ip_address: address })),
  },
  { name: 'port_id', from: (port) => port.id },
  { name: 'net_id', from: (port) => port.networkId },
  { name: 'mac_addr', from: (port) => port.mac },
  { name: 'tag', since: '2.70', from: (port) => port.interfaceTag },
];
const attachmentView = view(attachmentFields);

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
    path: '/v2.1/servers/:id/os-interface',
    rule: reader('os-attach-interfaces:list'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const ports = await handlers.attachments(server);
      return { body: { interfaceAttachments: ports.map((port) => attachmentView(port, call)) } };
    },
  }),
  op(ServerNetworkHandlers, {
    method: 'GET',
    path: '/v2.1/servers/:id/os-interface/:port',
    rule: reader('os-attach-interfaces:show'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const port = (await handlers.attachments(server)).find(({ id }) => id === call.params['port']);
      if (!port) throw fail.notFound(`Instance ${server.id} does not have a port with that id.`);
      return { body: { interfaceAttachment: attachmentView(port, call) } };
    },
  }),
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
