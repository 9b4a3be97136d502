/** The addresses of a server, without what extensions added to them elsewhere. */
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import type { Server } from '#services/compute/domain';
import { reader } from '../compute.rules.js';
import { standingFor } from './server.floating.js';
import { ServerHandlers } from './server.handlers.js';
import { loadServer } from './server-target.js';

type Plain = { readonly version: number; readonly addr: string };

async function plainAddresses(handlers: ServerHandlers, server: Server): Promise<Map<string, Plain[]>> {
  const floating = (await handlers.floatingOf([server])).get(server.id) ?? [];
  const networks = new Map<string, Plain[]>();
  for (const port of server.addresses) {
    if (!port.fixedIps.length) continue;
    const list = networks.get(port.network) ?? [];
    for (const { version, address } of port.fixedIps) {
      const own = standingFor(floating, port, address).map((addr) => ({ version: 4, addr }));
      list.push({ version, addr: address }, ...own);
    }
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
    run: async (handlers, _call, server) => ({
      body: { addresses: Object.fromEntries(await plainAddresses(handlers, server)) },
    }),
  }),
  op(ServerHandlers, {
    method: 'GET',
    path: '/v2.1/servers/:id/ips/:network',
    rule: reader('ips:show'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const name = call.params['network'] ?? '';
      const list = (await plainAddresses(handlers, server)).get(name);
      if (!list) throw fail.notFound('Instance is not a member of specified network');
      return { body: { [name]: list } };
    },
  }),
];
