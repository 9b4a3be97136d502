/** What compute asks of the network: the ports of servers. */
import { networkV1 } from '#libs/contract';
import { type Clock, fail, isFailure, isUuid } from '#libs/kernel';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import type { NetworkBooks, Pair, WantedPorts } from '#services/network/data';
import { NicCheck, oneGroup, refuseMixed } from './nic-check.js';
import { serverPorts } from './server-ports.js';

export interface PortsParts {
  readonly books: NetworkBooks;
  readonly clock: Clock;
  readonly log: Log;
  readonly defaultDns: readonly string[];
  /** Of networks that are made for those who ask for any. */
  readonly mtu: number;
}

const pairOf = (request: { readonly serverId: string; readonly fence: number; readonly seq: number }): Pair => {
  if (!isUuid(request.serverId)) throw fail.invalid('a server id is needed');
  return { serverId: request.serverId, fence: request.fence, seq: request.seq };
};

const wantedOf = (request: networkV1.EnsureForServerRequest, groupIds: readonly string[]): WantedPorts => ({
  projectId: request.projectId,
  host: request.host,
  hostname: request.hostname,
  availabilityZone: request.availabilityZone,
  groupIds,
  nics: request.nics.map((nic) => ({
    portId: nic.portId,
    adopt: nic.adopt,
    networkId: nic.networkId,
    fixedIp: nic.fixedIp === '' ? undefined : nic.fixedIp,
  })),
});

class PortsService {
  private readonly check: NicCheck;

  constructor(private readonly parts: PortsParts) {
    this.check = new NicCheck(parts.books, (projectId) => this.allocate(projectId));
  }

  async validate(request: networkV1.ValidateRequest): Promise<networkV1.ValidateReply> {
    const nics = await this.check.nics(request);
    return { nics, securityGroupIds: await this.check.groups(request, this.parts.clock.now()) };
  }

  async ensureForServer(request: networkV1.EnsureForServerRequest): Promise<networkV1.ServerPorts> {
    const { books, clock } = this.parts;
    const now = clock.now();
    if (request.nics.some((nic) => !isUuid(nic.portId))) throw fail.invalid('every NIC needs a port id');
    const named = request.securityGroupIds;
    const groupIds = named.length > 0 ? named : [await books.groupStore.ensureDefault(request.projectId, now)];
    await books.serverPortStore.ensure(pairOf(request), wantedOf(request, groupIds), now);
    return this.describe(request.serverId);
  }

  async bind(request: networkV1.BindRequest): Promise<networkV1.ServerPorts> {
    await this.parts.books.serverPortStore.bind(pairOf(request), request.host, this.parts.clock.now());
    return this.describe(request.serverId);
  }

  async releaseForServer(request: networkV1.ReleaseForServerRequest): Promise<networkV1.ReleaseForServerReply> {
    await this.parts.books.serverPortStore.release(pairOf(request), this.parts.clock.now(), request.portIds);
    return {};
  }

  async listFloatingIps({ serverIds }: networkV1.ListFloatingIpsRequest): Promise<networkV1.ListFloatingIpsReply> {
    const { floatingIps, db } = this.parts.books;
    return { floatingIps: await floatingIps.ofServers(db, serverIds) };
  }

  async listForServers(request: networkV1.ListForServersRequest): Promise<networkV1.ListForServersReply> {
    const { books, defaultDns } = this.parts;
    return { servers: await serverPorts(books, request.serverIds, defaultDns) };
  }

  async setServerGroups(request: networkV1.SetServerGroupsRequest): Promise<networkV1.ServerPorts> {
    const { books, clock } = this.parts;
    const known = await books.groups.resolve(books.db, request.projectId, [...request.add, ...request.remove]);
    const add = request.add.map((name) => oneGroup(name, known));
    const remove = new Set(request.remove.map((name) => oneGroup(name, known)));
    const bearing = await books.ports.ofDevices(books.db, [request.serverId]);
    const ports = bearing.filter((port) => request.portIds.includes(port.id));
    const absent = [...remove].find((id) => !ports.some((port) => port.groupIds.includes(id)));
    if (absent !== undefined) {
      throw fail.notFound(`Security group ${absent} not associated with the instance ${request.serverId}`, {
        type: 'SecurityGroupNotFound',
      });
    }
    const now = clock.now();
    const after = (groupIds: readonly string[]) => [
      ...new Set([...groupIds.filter((group) => !remove.has(group)), ...add]),
    ];
    const guarded = ports.filter((port) => port.portSecurity);
    for (const port of guarded) await refuseMixed(books, after(port.groupIds));
    for (const { id } of guarded)
      await books.portStore.update(id, [], (port) => ({ groupIds: after(port.groupIds) }), now);
    return this.describe(request.serverId);
  }

  private async allocate(projectId: string): Promise<string> {
    const { books, mtu, clock } = this.parts;
    try {
      return (await books.autoTopologyStore.get({ projectId, mtu }, clock.now())).networkId;
    } catch (error) {
      if (isFailure(error) && error.kind !== 'unavailable') throw unableToAllocate(projectId, error);
      throw error;
    }
  }

  private async describe(serverId: string): Promise<networkV1.ServerPorts> {
    const [server] = await serverPorts(this.parts.books, [serverId], this.parts.defaultDns);
    return server ?? { serverId, ports: [] };
  }
}

const unableToAllocate = (projectId: string, cause: unknown): Error =>
  fail.preconditionFailed(`Unable to automatically allocate a network for project ${projectId}`, {
    type: 'UnableToAutoAllocateNetwork',
    cause,
  });

/** For compute alone. */
export function portsBinding(parts: PortsParts): Binding {
  const service = new PortsService(parts);
  return bind(
    networkV1.PortsService,
    {
      validate: (request) => service.validate(request),
      ensureForServer: (request) => service.ensureForServer(request),
      bind: (request) => service.bind(request),
      releaseForServer: (request) => service.releaseForServer(request),
      listForServers: (request) => service.listForServers(request),
      listFloatingIps: (request) => service.listFloatingIps(request),
      setServerGroups: (request) => service.setServerGroups(request),
    },
    (peer) => peer === 'compute',
    parts.log,
  );
}
