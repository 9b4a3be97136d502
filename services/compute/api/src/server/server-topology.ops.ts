/** How a server lies on the NUMA nodes of its host. Servers are not laid on any, so there is nothing to list. */
import { type Op, op } from '#libs/platform/http';
import { ADMIN, PROJECT_READER, type Rule, rule } from '#libs/platform/policy';
import { ServerHandlers } from './server.handlers.js';
import { loadServer } from './server-target.js';

/** For what only operators are shown, once there is any. */
export const serverTopologyRules: readonly Rule[] = [rule('compute:server:topology:host:index', ADMIN)];

export const serverTopologyOps: readonly Op[] = [
  op(ServerHandlers, {
    method: 'GET',
    path: '/v2.1/servers/:id/topology',
    since: '2.78',
    rule: rule('compute:server:topology:index', PROJECT_READER),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: () => ({ body: { nodes: [], pagesize_kb: null } }),
  }),
];
