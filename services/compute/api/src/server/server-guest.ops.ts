/** Reaching into a guest: its administrator's password, a crash dump. */
import { Type } from 'typebox';
import { type Op, op } from '#libs/platform/http';
import { body } from '#libs/wire';
import { member } from '../compute.rules.js';
import { ServerGuestHandlers } from './server-guest.handlers.js';
import { askerOf, loadServer } from './server-target.js';

const path = '/v2.1/servers/:id/action';
const shut = { additionalProperties: false } as const;

export const serverGuestOps: readonly Op[] = [
  op(ServerGuestHandlers, {
    method: 'POST',
    path,
    action: 'changePassword',
    rule: member('os-admin-password'),
    status: 202,
    body: body(Type.Object({ changePassword: Type.Object({ adminPass: Type.String() }, shut) }, shut)),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.changePassword(server, call.body.changePassword.adminPass, askerOf(call));
      return {};
    },
  }),
  op(ServerGuestHandlers, {
    method: 'POST',
    path,
    action: 'trigger_crash_dump',
    since: '2.17',
    rule: member('servers:trigger_crash_dump'),
    status: 202,
    body: body(Type.Object({ trigger_crash_dump: Type.Null() }, shut)),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.triggerCrashDump(server, askerOf(call));
      return {};
    },
  }),
];
