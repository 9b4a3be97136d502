/** The password that a guest may post, encrypted for its owner. No guest of this cloud does, so there is none to show. */
import { type Op, op } from '#libs/platform/http';
import { member, reader } from '../compute.rules.js';
import { ServerHandlers } from './server.handlers.js';
import { loadServer } from './server-target.js';

const path = '/v2.1/servers/:id/os-server-password';

export const serverPasswordOps: readonly Op[] = [
  op(ServerHandlers, {
    method: 'GET',
    path,
    rule: reader('os-server-password:show'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: () => ({ body: { password: '' } }),
  }),
  op(ServerHandlers, {
    method: 'DELETE',
    path,
    rule: member('os-server-password:clear'),
    status: 204,
    load: (handlers, call) => loadServer(handlers, call),
    run: () => ({}),
  }),
];
