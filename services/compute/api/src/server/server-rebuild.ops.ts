/** Rebuild: a new root disk from an image, on the same node. */
import { randomBytes } from 'node:crypto';
import { type Op, op } from '#libs/platform/http';
import { member } from '../compute.rules.js';
import { extrasFor, rebuiltServer, serverLinks } from './server.wire.js';
import { ServerRebuildHandlers } from './server-rebuild.handlers.js';
import { rebuildBody, rebuildOf } from './server-rebuild.wire.js';
import { askerOf, loadServer } from './server-target.js';

export const freshPassword = (): string => randomBytes(9).toString('base64url');

export const serverRebuildOps: readonly Op[] = [
  op(ServerRebuildHandlers, {
    method: 'POST',
    path: '/v2.1/servers/:id/action',
    action: 'rebuild',
    rule: member('servers:rebuild'),
    status: 202,
    body: rebuildBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const order = rebuildOf(call.body.rebuild, freshPassword);
      const rebuilt = await handlers.rebuild(server, order, askerOf(call));
      const userData = await handlers.userDataOf(rebuilt);
      const [row] = await handlers.servers.withExtras([rebuilt], extrasFor(call));
      const shown = rebuiltServer({ ...row!, ownUserData: userData, newPassword: order.adminPass }, call);
      return { headers: { Location: serverLinks(call.base, server.id)[0]!.href }, body: { server: shown } };
    },
  }),
];
