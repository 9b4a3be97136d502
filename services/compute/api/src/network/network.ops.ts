/** Networks by way of compute, up to 2.35: their ids and names. Everything else went with the network service of old. */
import { Injectable } from '@nestjs/common';
import { fail, isFailure } from '#libs/kernel';
import { type Call, type Op, op } from '#libs/platform/http';
import { Peers } from '../books.js';
import { isAdmin, reader } from '../compute.rules.js';
import type { Caller } from '../foreign-api.js';

export interface ForeignNetwork {
  readonly id: string;
  readonly name: string;
}

@Injectable()
export class NetworkHandlers {
  constructor(private readonly peers: Peers) {}

  async list(caller: Caller): Promise<ForeignNetwork[]> {
    const answer = await this.peers.networkApi.ask(caller, { method: 'GET', path: '/v2.0/networks' });
    return (answer as { networks: ForeignNetwork[] }).networks;
  }

  async find(caller: Caller, id: string): Promise<ForeignNetwork> {
    const path = `/v2.0/networks/${encodeURIComponent(id)}`;
    const answer = await this.peers.networkApi.ask(caller, { method: 'GET', path }).catch((error: unknown) => {
      throw isFailure(error, 'notFound') ? fail.notFound('Network not found') : error;
    });
    return (answer as { network: ForeignNetwork }).network;
  }
}

/** Fields that once said something. */
const EMPTY = 'cidr netmask gateway broadcast dns1 dns2 cidr_v6 gateway_v6 netmask_v6'.split(' ');
const EMPTY_FOR_ADMINISTRATORS = (
  'created_at updated_at deleted_at deleted injected bridge vlan vpn_public_address vpn_public_port vpn_private_address ' +
  'dhcp_start project_id host bridge_interface multi_host priority rxtx_base mtu dhcp_server enable_dhcp share_address'
).split(' ');

const nothing = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, null]));
const networkView = (network: ForeignNetwork, call: Pick<Call<unknown, unknown>, 'may'>) => ({
  id: network.id,
  label: network.name,
  ...nothing(EMPTY),
  ...(isAdmin(call) ? nothing(EMPTY_FOR_ADMINISTRATORS) : {}),
});
const tenantNetworkView = ({ id, name }: ForeignNetwork) => ({ id, cidr: 'None', label: name });

const KINDS = [
  { plural: 'os-networks', render: networkView },
  { plural: 'os-tenant-networks', render: tenantNetworkView },
] as const;

export const networkOps: readonly Op[] = KINDS.flatMap(({ plural, render }) => [
  op(NetworkHandlers, {
    method: 'GET',
    path: `/v2.1/${plural}`,
    until: '2.35',
    rule: reader(`${plural}:list`),
    status: 200,
    run: async (handlers, call) => ({
      body: { networks: (await handlers.list(call)).map((network) => render(network, call)) },
    }),
  }),
  op(NetworkHandlers, {
    method: 'GET',
    path: `/v2.1/${plural}/:id`,
    until: '2.35',
    rule: reader(`${plural}:show`),
    status: 200,
    run: async (handlers, call) => ({
      body: { network: render(await handlers.find(call, call.params['id'] ?? ''), call) },
    }),
  }),
]);
