/** Consoles in a browser: the calls that give out a URL, and the administrator's look at a token. */
import { type Op, op } from '#libs/platform/http';
import { CONSOLE_KINDS } from '#services/compute/domain';
import { admin, member } from '../compute.rules.js';
import { ServerRemoteConsoleHandlers } from './server-remote-console.handlers.js';
import {
  CONSOLE_ACTIONS,
  type ConsoleAction,
  consoleActionBody,
  remoteConsoleBody,
} from './server-remote-console.wire.js';
import { loadServer } from './server-target.js';

const REMOTE = member('os-remote-consoles');

const actions = (Object.keys(CONSOLE_ACTIONS) as ConsoleAction[]).map((action) =>
  op(ServerRemoteConsoleHandlers, {
    method: 'POST',
    path: '/v2.1/servers/:id/action',
    action,
    until: '2.5',
    rule: REMOTE,
    status: 200,
    body: consoleActionBody(action),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const { type } = call.body[action];
      return { body: { console: { type, url: await handlers.url(server, type) } } };
    },
  }),
);

export const serverRemoteConsoleOps: readonly Op[] = [
  ...actions,
  op(ServerRemoteConsoleHandlers, {
    method: 'POST',
    path: '/v2.1/servers/:id/remote-consoles',
    since: '2.6',
    rule: REMOTE,
    status: 200,
    body: remoteConsoleBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const { protocol, type } = call.body.remote_console;
      return { body: { remote_console: { protocol, type, url: await handlers.url(server, type) } } };
    },
  }),
  op(ServerRemoteConsoleHandlers, {
    method: 'GET',
    path: '/v2.1/os-console-auth-tokens/:token',
    rule: admin('os-console-auth-tokens'),
    status: 200,
    run: async (handlers, call) => {
      const { serverId, node, type } = await handlers.describe(call.params['token'] ?? '');
      // Consoles have no ports here: the node's agent joins them.
      return {
        body: {
          console: { instance_uuid: serverId, host: node, port: 0, internal_access_path: CONSOLE_KINDS[type] },
        },
      };
    },
  }),
];
