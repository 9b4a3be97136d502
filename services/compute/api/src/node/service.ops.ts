/** Services: one nova-compute for each node. Operators enable, disable and declare them down. */
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { body, view } from '#libs/wire';
import { admin } from '../compute.rules.js';
import { last, looseQuery } from '../paging.wire.js';
import { isoNaive, Truth, truth } from '../values.wire.js';
import { NodeHandlers, type SeenNode } from './node.handlers.js';

const BINARY = 'nova-compute';
const status = (node: SeenNode): string => (node.disabled ? 'disabled' : 'enabled');

const shownService = view<SeenNode>([
  { name: 'id', until: '2.52', from: (node) => node.number },
  { name: 'id', since: '2.53', from: (node) => node.serviceId },
  { name: 'binary', from: () => BINARY },
  { name: 'host', from: (node) => node.name },
  { name: 'zone', from: (node) => node.availabilityZone },
  { name: 'status', from: status },
  { name: 'state', from: (node) => (node.up ? 'up' : 'down') },
  { name: 'updated_at', from: (node) => isoNaive(node.lastSeen) },
  { name: 'disabled_reason', from: (node) => node.disabledReason },
  { name: 'forced_down', since: '2.11', from: (node) => node.forcedDown },
]);

const words = Type.Optional(Type.Array(Type.String({ maxLength: 255 })));
const servicesQuery = looseQuery({ host: words, binary: words });

const shut = { additionalProperties: false } as const;
const Word = Type.String({ minLength: 1, maxLength: 255 });
const Reason = Type.String({ minLength: 1, maxLength: 255, pattern: '^(?!\\s)[^\\p{C}]+(?<!\\s)$' });
const target = { host: Word, binary: Word };

const list = op(NodeHandlers, {
  method: 'GET',
  path: '/v2.1/os-services',
  rule: admin('os-services:list'),
  status: 200,
  query: servicesQuery,
  run: async (handlers, call) => {
    const [host, binary] = [last(call.query.host), last(call.query.binary)];
    const rows = binary !== undefined && binary !== BINARY ? [] : await handlers.seen();
    const services = rows
      .filter((node) => host === undefined || node.name === host)
      .map((node) => shownService(node, call));
    return { body: { services } };
  },
});

function refuseOtherBinary(binary: string, host: string): void {
  if (binary !== BINARY) throw fail.notFound(`Could not find binary ${binary} on host ${host}.`);
}

const old = { method: 'PUT', until: '2.52', rule: admin('os-services:update'), status: 200 } as const;

/** Up to 2.52: by host and binary, one path for each verb. */
const byName: readonly Op[] = [
  ...(['enable', 'disable'] as const).map((verb) =>
    op(NodeHandlers, {
      ...old,
      path: `/v2.1/os-services/${verb}`,
      body: body(Type.Object(target, shut)),
      run: async (handlers, call) => {
        const { host, binary } = call.body;
        refuseOtherBinary(binary, host);
        const node = await handlers.change(host, { disabled: verb === 'disable' });
        return { body: { service: { host, binary, status: status(node) } } };
      },
    }),
  ),
  op(NodeHandlers, {
    ...old,
    path: '/v2.1/os-services/disable-log-reason',
    body: body(Type.Object({ ...target, disabled_reason: Reason }, shut)),
    run: async (handlers, call) => {
      const { host, binary, disabled_reason: reason } = call.body;
      refuseOtherBinary(binary, host);
      const node = await handlers.change(host, { disabled: true, reason });
      return { body: { service: { host, binary, status: status(node), disabled_reason: reason } } };
    },
  }),
  op(NodeHandlers, {
    ...old,
    since: '2.11',
    path: '/v2.1/os-services/force-down',
    body: body(Type.Object({ ...target, forced_down: Truth }, shut)),
    run: async (handlers, call) => {
      const { host, binary } = call.body;
      refuseOtherBinary(binary, host);
      const node = await handlers.change(host, { forcedDown: truth(call.body.forced_down) });
      return { body: { service: { host, binary, forced_down: node.forcedDown } } };
    },
  }),
];

const byId = op(NodeHandlers, {
  method: 'PUT',
  path: '/v2.1/os-services/:id',
  since: '2.53',
  rule: admin('os-services:update'),
  status: 200,
  body: body(
    Type.Object(
      {
        status: Type.Optional(Type.Union([Type.Literal('enabled'), Type.Literal('disabled')])),
        disabled_reason: Type.Optional(Reason),
        forced_down: Type.Optional(Truth),
      },
      { ...shut, minProperties: 1 },
    ),
  ),
  run: async (handlers, call) => {
    const { status: wanted, disabled_reason: reason, forced_down: down } = call.body;
    if (reason !== undefined && wanted !== 'disabled')
      throw fail.invalid("Specifying disabled_reason requires that status is 'disabled'.");
    const { name } = await handlers.findService(call.params['id'] ?? '');
    const node = await handlers.change(name, {
      ...(wanted === undefined ? {} : { disabled: wanted === 'disabled', reason: reason ?? null }),
      ...(down === undefined ? {} : { forcedDown: truth(down) }),
    });
    return { body: { service: shownService(node, call) } };
  },
});

const SINCE_UUID = 2_053;

const remove = op(NodeHandlers, {
  method: 'DELETE',
  path: '/v2.1/os-services/:id',
  rule: admin('os-services:delete'),
  status: 204,
  run: async (handlers, call) => {
    const id = call.params['id'] ?? '';
    const byUuid = call.version >= SINCE_UUID;
    if (!byUuid && !/^\d{1,9}$/.test(id)) throw fail.invalid(`Invalid service id ${id.slice(0, 64)}`);
    await handlers.remove((await handlers.findService(id, byUuid)).name);
    return {};
  },
});

export const serviceOps: readonly Op[] = [list, ...byName, byId, remove];
