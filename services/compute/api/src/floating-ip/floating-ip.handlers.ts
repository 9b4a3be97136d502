import { Injectable } from '@nestjs/common';
import { fail, isFailure } from '#libs/kernel';
import type { Server } from '#services/compute/domain';
import { Peers } from '../books.js';
import { type Caller, queryOf } from '../foreign-api.js';
import { ServerHandlers } from '../server/server.handlers.js';
import { deviceOf, type FloatingIpRow, type ForeignFloatingIp } from './floating-ip.wire.js';

interface Pool {
  readonly id: string;
  readonly name: string;
}

type OwnCaller = Caller & { readonly who: { readonly projectId: string | undefined } };

const pathOf = (id: string): string => `/v2.0/floatingips/${encodeURIComponent(id)}`;

@Injectable()
export class FloatingIpHandlers {
  constructor(
    private readonly peers: Peers,
    private readonly servers: ServerHandlers,
  ) {}

  findServer(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }

  /** Networks that lead out of the cloud. */
  async pools(caller: Caller): Promise<Pool[]> {
    const path = `/v2.0/networks${queryOf({ 'router:external': 'True' })}`;
    return ((await this.peers.networkApi.ask(caller, { method: 'GET', path })) as { networks: Pool[] }).networks;
  }

  async list(caller: OwnCaller): Promise<FloatingIpRow[]> {
    return this.#named(caller, await this.#found(caller, { tenant_id: caller.who.projectId ?? '' }));
  }

  async find(caller: Caller, id: string): Promise<FloatingIpRow> {
    const answer = await this.peers.networkApi
      .ask(caller, { method: 'GET', path: pathOf(id) })
      .catch((error: unknown) => {
        throw isFailure(error, 'notFound') ? fail.notFound(`Floating IP not found for ID ${id.slice(0, 64)}`) : error;
      });
    const [row] = await this.#named(caller, [(answer as { floatingip: ForeignFloatingIp }).floatingip]);
    return row!;
  }

  /** Out of the pool of that name or id, or out of the first. */
  async allocate(caller: Caller, wanted: string | null | undefined): Promise<FloatingIpRow> {
    const pools = await this.pools(caller);
    const pool = wanted ? pools.find(({ id, name }) => id === wanted || name === wanted) : pools[0];
    if (!pool) throw fail.notFound('Floating IP pool not found.');
    const body = { floatingip: { floating_network_id: pool.id } };
    const answer = await this.peers.networkApi
      .ask(caller, { method: 'POST', path: '/v2.0/floatingips', body })
      .catch((error: unknown) => refuseAllocation(error, pool.name));
    return { ...(answer as { floatingip: ForeignFloatingIp }).floatingip, pool: pool.name };
  }

  async release(caller: Caller, id: string): Promise<void> {
    await this.find(caller, id);
    await this.peers.networkApi.ask(caller, { method: 'DELETE', path: pathOf(id) });
  }

  /** Lets an address stand for one of the server's own, the first of version 4 unless told. */
  async associate(caller: Caller, server: Server, address: string, fixed: string | undefined): Promise<void> {
    const port = portWith(server, fixed);
    const ip = await this.#byAddress(caller, address);
    const body = { floatingip: { port_id: port.portId, fixed_ip_address: port.address } };
    await this.peers.networkApi.ask(caller, { method: 'PUT', path: pathOf(ip.id), body }).catch((error: unknown) => {
      if (isFailure(error, 'conflict') || isFailure(error, 'notFound'))
        throw fail.invalid(
          `Unable to associate floating IP ${address} to fixed IP ${port.address} for instance ${server.id}. Error: ${error.message}`,
          { cause: error },
        );
      throw error;
    });
  }

  async dissociate(caller: Caller, server: Server, address: string): Promise<void> {
    const ip = await this.#byAddress(caller, address);
    if (deviceOf(ip) !== server.id)
      throw fail.conflict(`Floating IP ${address} is not associated with instance ${server.id}.`);
    const body = { floatingip: { port_id: null } };
    await this.peers.networkApi.ask(caller, { method: 'PUT', path: pathOf(ip.id), body });
  }

  async #byAddress(caller: Caller, address: string): Promise<ForeignFloatingIp> {
    const [found, another] = await this.#found(caller, { floating_ip_address: address });
    if (!found) throw fail.notFound('floating IP not found');
    if (another) throw fail.conflict(`Multiple floating IPs are found for address ${address}.`);
    return found;
  }

  async #found(caller: Caller, filter: Readonly<Record<string, string>>): Promise<ForeignFloatingIp[]> {
    const path = `/v2.0/floatingips${queryOf(filter)}`;
    const answer = await this.peers.networkApi.ask(caller, { method: 'GET', path });
    return (answer as { floatingips: ForeignFloatingIp[] }).floatingips;
  }

  async #named(caller: Caller, ips: readonly ForeignFloatingIp[]): Promise<FloatingIpRow[]> {
    if (!ips.length) return [];
    const names = new Map((await this.pools(caller)).map(({ id, name }) => [id, name]));
    return ips.map((ip) => ({ ...ip, pool: names.get(ip.floating_network_id) || ip.floating_network_id }));
  }
}

function refuseAllocation(error: unknown, pool: string): never {
  const type = isFailure(error) ? error.type : undefined;
  if (type === 'OverQuota') throw fail.forbidden(`IP allocation over quota in pool ${pool}.`, { cause: error });
  if (type === 'IpAddressGenerationFailure')
    throw fail.notFound(`No more floating IPs in pool ${pool}.`, { cause: error });
  throw error;
}

function portWith(server: Server, fixed: string | undefined): { portId: string; address: string } {
  const own = server.addresses.flatMap(({ portId, fixedIps }) => fixedIps.map((ip) => ({ ...ip, portId })));
  if (!own.length) throw fail.invalid('No fixed IPs associated to instance');
  const port =
    fixed === undefined ? own.find(({ version }) => version === 4) : own.find(({ address }) => address === fixed);
  if (port) return port;
  throw fail.invalid(
    fixed === undefined
      ? `Unable to associate a floating IP to instance ${server.id}. Instance has no fixed IPv4 addresses to associate.`
      : 'Specified fixed address not assigned to instance',
  );
}
