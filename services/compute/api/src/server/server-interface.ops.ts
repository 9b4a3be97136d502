/** The rows of a server's interfaces. */
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { member, reader } from '../compute.rules.js';
import { ServerInterfaceHandlers } from './server-interface.handlers.js';
import { attachBody, attachmentView } from './server-interface.wire.js';
import { askerOf, loadServer } from './server-target.js';

const path = '/v2.1/servers/:id/os-interface';

export const serverInterfaceOps: readonly Op[] = [
  op(ServerInterfaceHandlers, {
    method: 'GET',
    path,
    rule: reader('os-attach-interfaces:list'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const ports = await handlers.list(server);
      return { body: { interfaceAttachments: ports.map((port) => attachmentView(port, call)) } };
    },
  }),
  op(ServerInterfaceHandlers, {
    method: 'GET',
    path: `${path}/:port`,
    rule: reader('os-attach-interfaces:show'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const port = await handlers.one(server, call.params['port'] ?? '');
      if (!port) throw fail.notFound(`Instance ${server.id} does not have a port with that id.`);
      return { body: { interfaceAttachment: attachmentView(port, call) } };
    },
  }),
  op(ServerInterfaceHandlers, {
    method: 'POST',
    path,
    rule: member('os-attach-interfaces:create'),
    status: 200,
    body: attachBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const { net_id, port_id, fixed_ips, tag } = call.body.interfaceAttachment as Wish;
      if (net_id && port_id) throw fail.invalid('Must not input both network_id and port_id');
      if (fixed_ips && !net_id) throw fail.invalid('Must input network_id when request IP address');
      const wish = {
        portId: port_id ?? '',
        networkId: net_id ?? '',
        fixedIp: fixed_ips?.[0]?.ip_address ?? '',
        tag: tag ?? '',
      };
      return {
        body: { interfaceAttachment: attachmentView(await handlers.attach(server, wish, askerOf(call)), call) },
      };
    },
  }),
  op(ServerInterfaceHandlers, {
    method: 'DELETE',
    path: `${path}/:port`,
    rule: member('os-attach-interfaces:delete'),
    status: 202,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.detach(server, call.params['port'] ?? '', askerOf(call));
      return {};
    },
  }),
];

interface Wish {
  readonly net_id?: string;
  readonly port_id?: string;
  readonly fixed_ips?: readonly { readonly ip_address: string }[];
  readonly tag?: string;
}
