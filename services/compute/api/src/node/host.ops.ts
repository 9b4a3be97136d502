/** Hosts, the older name of nodes: up to 2.42. */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { body } from '#libs/wire';
import { admin } from '../compute.rules.js';
import { last, looseQuery, Many } from '../paging.wire.js';
import { NodeHandlers } from './node.handlers.js';

const UNTIL = { until: '2.42' } as const;
const nameIn = (call: { readonly params: Readonly<Record<string, string>> }): string => call.params['name'] ?? '';

const reads: readonly Op[] = [
  op(NodeHandlers, {
    method: 'GET',
    path: '/v2.1/os-hosts',
    ...UNTIL,
    rule: admin('os-hosts:list'),
    status: 200,
    query: looseQuery({ zone: Many, service: Many }),
    run: async (handlers, call) => {
      const zone = last(call.query.zone) || undefined;
      const service = last(call.query.service);
      const nodes = service !== undefined && service !== 'compute' ? [] : await handlers.seen();
      const hosts = nodes
        .filter((node) => !node.disabled && (zone === undefined || node.availabilityZone === zone))
        .map((node) => ({ host_name: node.name, service: 'compute', zone: node.availabilityZone }));
      return { body: { hosts } };
    },
  }),
  op(NodeHandlers, {
    method: 'GET',
    path: '/v2.1/os-hosts/:name',
    ...UNTIL,
    rule: admin('os-hosts:show'),
    status: 200,
    run: async (handlers, call) => {
      const { name, vcpus, memoryMb, diskGb, used } = await handlers.named(nameIn(call));
      const resource = (project: string, cpu: number, memory_mb: number, disk_gb: number) => ({
        resource: { host: name, project, cpu, memory_mb, disk_gb },
      });
      const projects = await handlers.usageByProject(name);
      const host = [
        resource('(total)', vcpus, memoryMb, diskGb),
        resource('(used_now)', used.vcpus, used.memoryMb, used.diskGb),
        resource('(used_max)', used.vcpus, used.memoryMb, used.diskGb),
        ...projects.map((each) => resource(each.projectId, each.vcpus, each.memoryMb, each.diskGb)),
      ];
      return { body: { host } };
    },
  }),
];

const Switch = Type.Optional(
  Type.Union(['enable', 'disable', 'Enable', 'Disable', 'ENABLE', 'DISABLE'].map((word) => Type.Literal(word))),
);
const updateBody = body(
  Type.Object({ status: Switch, maintenance_mode: Switch }, { additionalProperties: false, minProperties: 1 }),
);
const isOn = (word: string): boolean => word.toLowerCase() === 'enable';

/** Nodes have no maintenance mode and are not switched on and off from here. */
const unsupported = () => fail.notImplemented('Feature not supported.');

const changes: readonly Op[] = [
  op(NodeHandlers, {
    method: 'PUT',
    path: '/v2.1/os-hosts/:name',
    ...UNTIL,
    rule: admin('os-hosts:update'),
    status: 200,
    body: updateBody,
    run: async (handlers, call) => {
      const { status, maintenance_mode: maintenance } = call.body;
      const { name } = await handlers.named(nameIn(call));
      if (maintenance !== undefined) throw unsupported();
      const node = await handlers.change(name, { disabled: !isOn(status ?? 'enable') });
      return { body: { host: name, status: node.disabled ? 'disabled' : 'enabled' } };
    },
  }),
  ...(['startup', 'shutdown', 'reboot'] as const).map((power) =>
    op(NodeHandlers, {
      method: 'GET',
      path: `/v2.1/os-hosts/:name/${power}`,
      ...UNTIL,
      rule: admin(`os-hosts:${power === 'startup' ? 'start' : power}`),
      status: 200,
      run: async (handlers, call) => {
        await handlers.named(nameIn(call));
        throw unsupported();
      },
    }),
  ),
];

/** Nodes are virtual or our own: there is no service of bare metal to be asked. */
@Injectable()
export class BaremetalHandlers {}

const baremetal: readonly Op[] = [
  op(BaremetalHandlers, {
    method: 'GET',
    path: '/v2.1/os-baremetal-nodes',
    until: '2.35',
    rule: admin('os-baremetal-nodes:list'),
    status: 200,
    run: () => ({ body: { nodes: [] } }),
  }),
  op(BaremetalHandlers, {
    method: 'GET',
    path: '/v2.1/os-baremetal-nodes/:id',
    until: '2.35',
    rule: admin('os-baremetal-nodes:show'),
    status: 200,
    run: (_handlers, call) => {
      throw fail.notFound(`Node ${(call.params['id'] ?? '').slice(0, 64)} could not be found.`);
    },
  }),
  ...(
    [
      ['POST', ''],
      ['DELETE', '/:id'],
      ['POST', '/:id/action'],
    ] as const
  ).map(([method, suffix]) =>
    op(BaremetalHandlers, {
      method,
      path: `/v2.1/os-baremetal-nodes${suffix}`,
      until: '2.35',
      rule: admin('os-baremetal-nodes:show'),
      status: 400,
      run: () => {
        throw fail.invalid('Command not supported: nodes of bare metal are managed by their own service.');
      },
    }),
  ),
];

export const hostOps: readonly Op[] = [...reads, ...changes, ...baremetal];
