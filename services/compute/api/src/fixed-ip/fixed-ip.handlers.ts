/**
 * Addresses that a server's own ports get and lose while it runs, asked of the network service in the caller's name.
 * Compute hears from there what has changed, as of any change of a port.
 */
import { Injectable } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import { type Failure, fail, isFailure } from '#libs/kernel';
import { allows, ownPorts, type Server } from '#services/compute/domain';
import { Peers } from '../books.js';
import { type Caller, queryOf, REVISED } from '../foreign-api.js';
import { type Asker, refuseLocked, ServerHandlers } from '../server/server.handlers.js';

interface ForeignIp {
  readonly subnet_id?: string;
  readonly ip_address?: string;
}

interface ForeignPort {
  readonly id: string;
  readonly revision_number: number;
  readonly fixed_ips: readonly ForeignIp[];
}

interface ForeignSubnet {
  readonly id: string;
  readonly ipv6_address_mode: string | null;
  readonly ipv6_ra_mode: string | null;
}

/** So often a port is looked at again that others have changed meanwhile. */
const LOOKS = 10;

@Injectable()
export class FixedIpHandlers {
  constructor(
    private readonly peers: Peers,
    private readonly servers: ServerHandlers,
  ) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** One more address of that network, of the first of its subnets that has one left. */
  async add(caller: Caller, server: Server, networkId: string, asker: Asker): Promise<void> {
    await this.#demand(server, 'add_fixed_ip', asker);
    await whileRevised(async () => {
      const [port] = await this.#ports(caller, server, { network_id: networkId });
      if (!port) throw fail.invalid(`Network could not be found for instance ${server.id}.`);
      const query = queryOf({ network_id: networkId });
      const answer = await this.peers.networkApi.ask(caller, { method: 'GET', path: `/v2.0/subnets${query}` });
      for (const subnet of (answer as { subnets: ForeignSubnet[] }).subnets.filter(givesAddresses)) {
        const used = await this.#tried(caller, port, subnet.id);
        if (!used) return;
      }
      throw fail.invalid(`No fixed IP addresses available for network: ${networkId}`);
    });
  }

  async remove(caller: Caller, server: Server, address: string, asker: Asker): Promise<void> {
    await this.#demand(server, 'remove_fixed_ip', asker);
    const wanted = ipaddr.process(address).toString();
    const isWanted = (ip: ForeignIp): boolean => ip.ip_address === wanted;
    await whileRevised(async () => {
      const ports = await this.#ports(caller, server, {});
      const port = ports.find(({ fixed_ips }) => fixed_ips.some(isWanted));
      if (!port) throw fail.invalid(`Instance ${server.id} has no fixed IP '${address}'.`);
      const others = port.fixed_ips.filter((ip) => !isWanted(ip));
      await this.#set(caller, port, others);
    });
  }

  async #demand(server: Server, action: string, asker: Asker): Promise<void> {
    refuseLocked(server, asker);
    if (!allows('changeInterfaces', server)) throw await this.servers.wrongState(server, 'changeInterfaces', action);
  }

  /** The server's own: a client may have written its id on others. */
  async #ports(caller: Caller, server: Server, filter: Readonly<Record<string, string>>): Promise<ForeignPort[]> {
    const query = queryOf({ device_id: server.id, ...filter });
    const answer = await this.peers.networkApi.ask(caller, { method: 'GET', path: `/v2.0/ports${query}` });
    return ownPorts(server, (answer as { ports: ForeignPort[] }).ports);
  }

  /** The refusal of a subnet that has no address left; undefined where the port has one now. */
  async #tried(caller: Caller, port: ForeignPort, subnetId: string): Promise<Failure | undefined> {
    try {
      await this.#set(caller, port, [...port.fixed_ips, { subnet_id: subnetId }]);
      return undefined;
    } catch (error) {
      if (isFailure(error, 'conflict') && error.type === 'IpAddressGenerationFailure') return error;
      throw error;
    }
  }

  /** All addresses of a port are written at once: only where they are still those that were read. */
  async #set(caller: Caller, port: ForeignPort, fixedIps: readonly ForeignIp[]): Promise<void> {
    const body = { port: { fixed_ips: fixedIps } };
    const path = `/v2.0/ports/${encodeURIComponent(port.id)}`;
    await this.peers.networkApi.ask(caller, { method: 'PUT', path, body, revision: port.revision_number });
  }
}

/** Does it again where somebody else was quicker. */
async function whileRevised(change: () => Promise<void>): Promise<void> {
  for (let look = 1; ; look += 1) {
    try {
      return await change();
    } catch (error) {
      if (look === LOOKS || !isFailure(error, 'conflict') || error.type !== REVISED) throw error;
    }
  }
}

/** A guest takes but one address of a subnet from which it addresses itself. */
function givesAddresses({ ipv6_address_mode: address, ipv6_ra_mode: ra }: ForeignSubnet): boolean {
  const mode = address ?? ra;
  return mode !== 'slaac' && mode !== 'dhcpv6-stateless';
}
