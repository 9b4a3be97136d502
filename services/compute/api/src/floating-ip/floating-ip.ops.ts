/** Floating IPs by way of compute: up to 2.35, on servers up to 2.43. */
import { type Op, op } from '#libs/platform/http';
import { everyone, rule } from '#libs/platform/policy';
import { isAdmin, member, reader } from '../compute.rules.js';
import { FloatingIpHandlers } from './floating-ip.handlers.js';
import { addBody, addressIn, floatingIpView, newFloatingIpBody, removeBody } from './floating-ip.wire.js';

const UNTIL = { until: '2.35' } as const;
const path = '/v2.1/os-floating-ips';

const floatingIps: readonly Op[] = [
  op(FloatingIpHandlers, {
    method: 'GET',
    path,
    ...UNTIL,
    rule: reader('os-floating-ips:list'),
    status: 200,
    run: async (handlers, call) => {
      const ips = await handlers.list(call);
      return { body: { floating_ips: ips.map((ip) => floatingIpView(ip, call)) } };
    },
  }),
  op(FloatingIpHandlers, {
    method: 'POST',
    path,
    ...UNTIL,
    rule: member('os-floating-ips:create'),
    status: 200,
    body: newFloatingIpBody,
    run: async (handlers, call) => {
      const ip = await handlers.allocate(call, call.body.pool);
      return { body: { floating_ip: floatingIpView(ip, call) } };
    },
  }),
  op(FloatingIpHandlers, {
    method: 'GET',
    path: `${path}/:id`,
    ...UNTIL,
    rule: reader('os-floating-ips:show'),
    status: 200,
    run: async (handlers, call) => {
      const ip = await handlers.find(call, call.params['id'] ?? '');
      return { body: { floating_ip: floatingIpView(ip, call) } };
    },
  }),
  op(FloatingIpHandlers, {
    method: 'DELETE',
    path: `${path}/:id`,
    ...UNTIL,
    rule: member('os-floating-ips:delete'),
    status: 202,
    run: async (handlers, call) => {
      await handlers.release(call, call.params['id'] ?? '');
      return {};
    },
  }),
  op(FloatingIpHandlers, {
    method: 'GET',
    path: '/v2.1/os-floating-ip-pools',
    ...UNTIL,
    rule: rule('os_compute_api:os-floating-ip-pools', everyone),
    status: 200,
    run: async (handlers, call) => ({
      body: { floating_ip_pools: (await handlers.pools(call)).map(({ id, name }) => ({ name: name || id })) },
    }),
  }),
];

const server = { method: 'POST', path: '/v2.1/servers/:id/action', until: '2.43', status: 202 } as const;

const onServers: readonly Op[] = [
  op(FloatingIpHandlers, {
    ...server,
    action: 'addFloatingIp',
    rule: member('os-floating-ips:add'),
    body: addBody,
    load: (handlers, call) => handlers.findServer(call.params['id'] ?? '', call.who, isAdmin(call)),
    run: async (handlers, call, found) => {
      const { address, fixed_address: fixed } = call.body.addFloatingIp;
      const own = fixed === undefined ? undefined : addressIn(fixed, 'fixed_address');
      await handlers.associate(call, found, addressIn(address, 'address'), own);
      return {};
    },
  }),
  op(FloatingIpHandlers, {
    ...server,
    action: 'removeFloatingIp',
    rule: member('os-floating-ips:remove'),
    body: removeBody,
    load: (handlers, call) => handlers.findServer(call.params['id'] ?? '', call.who, isAdmin(call)),
    run: async (handlers, call, found) => {
      await handlers.dissociate(call, found, addressIn(call.body.removeFloatingIp.address, 'address'));
      return {};
    },
  }),
];

export const floatingIpOps: readonly Op[] = [...floatingIps, ...onServers];
