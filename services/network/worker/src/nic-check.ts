/** Whether a tenant's wishes for NICs and groups can be met, before anything is made for them. */
import type { networkV1 } from '#libs/contract';
import { fail, isUuid } from '#libs/kernel';
import type { NetworkBooks, PortOnNetwork } from '#services/network/data';
import {
  fits,
  isHostAddress,
  isVisible,
  mixedStatefulness,
  type Network,
  networkNotFound,
  overQuota,
  parseIp,
  portInUse,
  portNotFound,
  reaches,
  type Subnet,
} from '#services/network/domain';

type Request = networkV1.ValidateRequest;
type Nic = networkV1.Nic;

export class NicCheck {
  constructor(
    private readonly books: NetworkBooks,
    /** Makes the project a network with a way out, and gives its id. */
    private readonly allocate: (projectId: string) => Promise<string>,
  ) {}

  /** The NICs with their networks filled in. Throws the first reason against them. */
  async nics(request: Request): Promise<Nic[]> {
    const wanted = request.auto && request.nics.length === 0 ? await this.anyNetwork(request) : request.nics;
    const checked: Nic[] = [];
    for (const nic of wanted)
      checked.push(nic.adopt ? await this.adopted(nic, request) : await this.made(nic, request));
    const twice = checked.find(
      (nic, i) => nic.adopt && checked.findIndex((other) => other.portId === nic.portId) !== i,
    );
    if (twice) throw fail.invalid(`Port ${twice.portId} is named twice.`, { type: 'PortInUse' });
    await this.room(request, checked);
    return checked;
  }

  /** Ids of the groups, by name or id; the default group where none is named. */
  async groups(request: Request, now: Date): Promise<string[]> {
    const { groupStore, groups, db } = this.books;
    const names = [...new Set(request.securityGroups)];
    const defaultId = await groupStore.ensureDefault(request.projectId, now);
    if (names.length === 0) return [defaultId];
    const known = await groups.resolve(db, request.projectId, names);
    const ids = names.map((name) => oneGroup(name, known));
    await refuseMixed(this.books, ids);
    return ids;
  }

  private visible(network: Network | undefined, request: Request): network is Network {
    if (!network) return false;
    const own = request.isAdmin || network.projectId === request.projectId;
    return own || isVisible(network, request.projectId);
  }

  private async anyNetwork(request: Request): Promise<Nic[]> {
    const usable = await this.usableNetworks(request);
    if (usable.length > 1) {
      throw fail.conflict('Multiple possible networks found, use a Network ID to be more specific.', {
        type: 'NetworkAmbiguous',
      });
    }
    const networkIds = usable.map((network) => network.id);
    if (networkIds.length === 0 && request.allocate) networkIds.push(await this.allocate(request.projectId));
    return networkIds.map((networkId) => ({ portId: '', adopt: false, networkId, fixedIp: '', tag: '' }));
  }

  private async usableNetworks(request: Request): Promise<Network[]> {
    const own = await this.books.networks.usableBy(this.books.db, request.projectId);
    return own.filter((network) => !isWayOut(network, request));
  }

  private async made(nic: Nic, request: Request): Promise<Nic> {
    const { books } = this;
    const network = isUuid(nic.networkId) ? await books.networks.find(books.db, nic.networkId) : undefined;
    if (!this.visible(network, request)) throw networkNotFound(nic.networkId);
    if (isWayOut(network, request)) throw noServersOutside(network.id);
    const subnets = await books.subnets.ofNetworks(books.db, [network.id]);
    if (subnets.length === 0) {
      throw fail.invalid(`Network ${network.id} requires a subnet in order to boot instances on.`, {
        type: 'NetworkRequiresSubnet',
      });
    }
    if (nic.fixedIp !== '') await this.address(nic.fixedIp, network, subnets, request);
    return { ...nic, networkId: network.id };
  }

  private async address(text: string, network: Network, subnets: readonly Subnet[], request: Request): Promise<void> {
    const ip = parseIp(text);
    if (!ip || !subnets.some((subnet) => isHostAddress(subnet, text))) {
      throw fail.invalid(`Fixed IP ${text} is not a valid ip address for network ${network.id}.`, {
        type: 'InvalidFixedIp',
      });
    }
    const taken = await this.books.db.one('select 1 from ip_allocation where network_id = $1 and address = $2', [
      network.id,
      text,
    ]);
    if (taken || request.count > 1) {
      throw fail.invalid(`Fixed IP address ${text} is already in use on instance.`, { type: 'FixedIpAlreadyInUse' });
    }
  }

  private async adopted(nic: Nic, request: Request): Promise<Nic> {
    const { books } = this;
    const port = isUuid(nic.portId) ? await books.ports.find(books.db, nic.portId) : undefined;
    if (!port || (port.projectId !== request.projectId && !request.isAdmin)) throw portNotFound(nic.portId);
    refuseTaken(port, request);
    return { ...nic, portId: port.id, networkId: port.networkId, fixedIp: '' };
  }

  private async room(request: Request, nics: readonly Nic[]): Promise<void> {
    const more = nics.filter((nic) => !nic.adopt).length * Math.max(1, request.count);
    const { port } = await this.books.quotas.usage(this.books.db, request.projectId);
    if (more > 0 && !fits(port, more)) throw overQuota(['port']);
  }
}

/** Servers stay inside: a way out is for routers and floating IPs, unless it is shared, or an administrator says otherwise. */
const isWayOut = (network: Network, { projectId, isAdmin }: Request): boolean =>
  network.external && !isAdmin && !reaches(network.sharedWith, projectId);

const noServersOutside = (id: string): Error =>
  fail.forbidden(`It is not allowed to create an interface on external network ${id}`, {
    type: 'ExternalNetworkAttachForbidden',
  });

function refuseTaken(port: PortOnNetwork, request: Request): void {
  if (port.deviceId !== '') throw portInUse(port.id, port.networkId, port.deviceId);
  if (port.trunk && port.trunk.vlan !== null) throw portInUse(port.id, port.networkId, `trunk ${port.trunk.id}`);
  if (request.count > 1)
    throw fail.invalid('A port can be given to one server only.', { type: 'MultiplePortsNotApplicable' });
  if (port.fixedIps.length === 0) {
    throw fail.invalid(`Port ${port.id} requires a FixedIP in order to be used.`, { type: 'PortRequiresFixedIP' });
  }
}

interface Named {
  readonly id: string;
  readonly name: string;
}

/** The group that a name or an id means. An id goes before a name. */
export function oneGroup(name: string, known: readonly Named[]): string {
  const byId = known.find((group) => group.id === name);
  if (byId) return byId.id;
  const named = known.filter((group) => group.name === name);
  if (named.length > 1) {
    throw fail.conflict(`Multiple security groups found matching '${name}'. Use an ID to be more specific.`, {
      type: 'NoUniqueMatch',
    });
  }
  if (!named[0]) throw fail.notFound(`Security group ${name} not found.`, { type: 'SecurityGroupNotFound' });
  return named[0].id;
}

/** Groups that keep connections and groups that do not can not be on one port. */
export async function refuseMixed({ groups, db }: NetworkBooks, ids: readonly string[]): Promise<void> {
  if (ids.length < 2) return;
  const named = await groups.names(db, ids);
  if (new Set(named.map((group) => group.stateful)).size > 1) throw mixedStatefulness();
}
