/** The addresses of a server, without what extensions added to them elsewhere. */
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import type { Server } from '#services/compute/domain';
import { reader } from '../compute.rules.js';
import { ServerHandlers } from './server.handlers.js';
import { loadServer } from './server-target.js';

function plainAddresses({ addresses }: Server): Map<string, { version: number; addr: string }[]> {
  const networks = new Map<string, { version: number; addr: string }[]>();
  for (const port of addresses) {
    if (!port.fixedIps.length) continue;
    const list = networks.get(port.network) ?? [];
    list.push(...port.fixedIps.map(({ version, address }) => ({ version, addr: address })));
    networks.set(port.network, list);
  }
  return networks;
}

export const serverAddressOps: readonly Op[] = [
  op(ServerHandlers, {
    method: 'GET',
    path: '/v2.1/servers/:id/ips',
    rule: reader('ips:index'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, _call, server) => ({ body: { addresses: Object.fromEntries(plainAddresses(server)) } }),
  }),
  op(ServerHandlers, {
    method: 'GET',
    path: '/v2.1/servers/:id/ips/:network',
    rule: reader('ips:show'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, call, server) => {
      const name = call.params['network'] ?? '';
      const list = plainAddresses(server).get(name);
      if (!list) throw fail.notFound('Instance is not a member of specified network');
      return { body: { [name]: list } };
    },
  }),
];
