/** Further addresses of a server: up to 2.43. */
import { type Op, op } from '#libs/platform/http';
import { member } from '../compute.rules.js';
import { addressIn } from '../floating-ip/floating-ip.wire.js';
import { askerOf, loadServer } from '../server/server-target.js';
import { FixedIpHandlers } from './fixed-ip.handlers.js';
import { addFixedIpBody, removeFixedIpBody } from './fixed-ip.wire.js';

const action = { method: 'POST', path: '/v2.1/servers/:id/action', until: '2.43', status: 202 } as const;

export const fixedIpOps: readonly Op[] = [
  op(FixedIpHandlers, {
    ...action,
    action: 'addFixedIp',
    rule: member('os-multinic:add'),
    body: addFixedIpBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.add(call, server, String(call.body.addFixedIp.networkId), askerOf(call));
      return {};
    },
  }),
  op(FixedIpHandlers, {
    ...action,
    action: 'removeFixedIp',
    rule: member('os-multinic:remove'),
    body: removeFixedIpBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.remove(call, server, addressIn(call.body.removeFixedIp.address, 'address'), askerOf(call));
      return {};
    },
  }),
];
