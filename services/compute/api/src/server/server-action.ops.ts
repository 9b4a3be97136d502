/** Actions on a server: one path, told apart by the only key of the body. */
import { type TSchema, Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import type { Rule } from '#libs/platform/policy';
import { body, type Checked, variants } from '#libs/wire';
import { admin, member } from '../compute.rules.js';
import { refuseLocked, ServerHandlers } from './server.handlers.js';
import { ServerConsoleHandlers } from './server-console.handlers.js';
import { ServerNetworkHandlers } from './server-network.ops.js';
import { askerOf, loadServer } from './server-target.js';

const path = '/v2.1/servers/:id/action';
const shut = { additionalProperties: false } as const;

const actionBody = <N extends string, S extends TSchema>(name: N, schema: S) =>
  body(Type.Object({ [name]: schema } as Record<N, S>, shut));
/** Actions without parameters take null, and whatever old clients send instead. */
const bare = (name: string): Checked<unknown> =>
  body(Type.Object({ [name]: Type.Unknown() }, shut)) as Checked<unknown>;

const UNLOCK_OVERRIDE = admin('os-lock-server:unlock:unlock_override');
/** Asked for by name. */
export const serverActionRules: readonly Rule[] = [UNLOCK_OVERRIDE];

/** Actions without parameters, by the move that each begins. */
const plain = (
  [
    ['os-start', 'servers:start', 'start'],
    ['os-stop', 'servers:stop', 'stop'],
    ['pause', 'os-pause-server:pause', 'pause'],
    ['unpause', 'os-pause-server:unpause', 'unpause'],
    ['suspend', 'os-suspend-server:suspend', 'suspend'],
    ['resume', 'os-suspend-server:resume', 'resume'],
  ] as const
).map(([action, rule, move]) =>
  op(ServerHandlers, {
    method: 'POST',
    path,
    action,
    rule: member(rule),
    status: 202,
    body: bare(action),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.power(server, move, askerOf(call));
      return {};
    },
  }),
);

const reboot = op(ServerHandlers, {
  method: 'POST',
  path,
  action: 'reboot',
  rule: member('servers:reboot'),
  status: 202,
  body: actionBody(
    'reboot',
    Type.Object({ type: Type.String({ pattern: '^(?:HARD|Hard|hard|SOFT|Soft|soft)$' }) }, shut),
  ),
  load: (handlers, call) => loadServer(handlers, call),
  run: async (handlers, call, server) => {
    const kind = call.body.reboot.type.toUpperCase() === 'HARD' ? 'HARD' : 'SOFT';
    await handlers.reboot(server, kind, askerOf(call));
    return {};
  },
});

const reason = Type.Union([
  Type.Null(),
  Type.Object({ locked_reason: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) }, shut),
]);
const lockBody = body(
  variants(
    ['2.1', Type.Object({ lock: Type.Unsafe<null | { locked_reason?: string }>({}) }, shut)],
    ['2.73', Type.Object({ lock: reason }, shut)],
  ),
);

const locks: readonly Op[] = [
  op(ServerHandlers, {
    method: 'POST',
    path,
    action: 'lock',
    rule: member('os-lock-server:lock'),
    status: 202,
    body: lockBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const given = call.body.lock;
      const why = typeof given === 'object' && given !== null ? given.locked_reason : undefined;
      await handlers.lock(server, typeof why === 'string' ? why.slice(0, 255) : null, askerOf(call));
      return {};
    },
  }),
  op(ServerHandlers, {
    method: 'POST',
    path,
    action: 'unlock',
    rule: member('os-lock-server:unlock'),
    status: 202,
    body: bare('unlock'),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      if (server.lockedBy === 'admin' && !call.may(UNLOCK_OVERRIDE.name, server))
        throw fail.forbidden(`Policy doesn't allow ${UNLOCK_OVERRIDE.name} to be performed.`);
      await handlers.unlock(server);
      return {};
    },
  }),
  op(ServerHandlers, {
    method: 'POST',
    path,
    action: 'os-resetState',
    rule: admin('os-admin-actions:reset_state'),
    status: 202,
    body: actionBody(
      'os-resetState',
      Type.Object({ state: Type.Union([Type.Literal('active'), Type.Literal('error')]) }, shut),
    ),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.resetState(server, call.body['os-resetState'].state);
      return {};
    },
  }),
];

const consoleOutput = op(ServerConsoleHandlers, {
  method: 'POST',
  path,
  action: 'os-getConsoleOutput',
  rule: member('os-console-output'),
  status: 200,
  body: actionBody(
    'os-getConsoleOutput',
    Type.Union([
      Type.Null(),
      Type.Object(
        {
          length: Type.Optional(
            Type.Unsafe<number | string | null>({
              type: ['integer', 'string', 'null'],
              pattern: '^-?[0-9]+$',
              minimum: -1,
              maximum: 2_147_483_647,
              maxLength: 10,
            }),
          ),
        },
        shut,
      ),
    ]),
  ),
  load: (handlers, call) => loadServer(handlers, call),
  run: async (handlers, call, server) => {
    const length = call.body['os-getConsoleOutput']?.length ?? null;
    return { body: { output: await handlers.output(server, length === null ? undefined : Number(length)) } };
  },
});

const groupBody = Type.Object({ name: Type.String({ minLength: 1, maxLength: 255 }) }, shut);

const groups: readonly Op[] = [
  op(ServerNetworkHandlers, {
    method: 'POST',
    path,
    action: 'addSecurityGroup',
    rule: member('os-security-groups:add'),
    status: 202,
    body: actionBody('addSecurityGroup', groupBody),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.changeGroups(server, { add: call.body.addSecurityGroup.name });
      return {};
    },
  }),
  op(ServerNetworkHandlers, {
    method: 'POST',
    path,
    action: 'removeSecurityGroup',
    rule: member('os-security-groups:remove'),
    status: 202,
    body: actionBody('removeSecurityGroup', groupBody),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.changeGroups(server, { remove: call.body.removeSecurityGroup.name });
      return {};
    },
  }),
];

/** Actions that exist elsewhere and not here yet: the server is looked up and the caller judged before they are refused. */
const ELSEWHERE: Readonly<Record<string, Rule>> = {
  migrate: admin('os-migrate-server:migrate'),
  'os-migrateLive': admin('os-migrate-server:migrate_live'),
  evacuate: admin('os-evacuate'),
};

const refused: readonly Op[] = Object.entries(ELSEWHERE).map(([action, rule]) =>
  op(ServerHandlers, {
    method: 'POST',
    path,
    action,
    rule,
    status: 400,
    load: (handlers, call) => loadServer(handlers, call),
    run: () => {
      throw fail.invalid(`The action ${action} is not offered by this cloud.`);
    },
  }),
);

/** There are no soft-deleted servers, so none can be restored. */
const restore = op(ServerHandlers, {
  method: 'POST',
  path,
  action: 'restore',
  rule: member('os-deferred-delete:restore'),
  status: 202,
  load: (handlers, call) => loadServer(handlers, call),
  run: (_handlers, call, server) => {
    refuseLocked(server, askerOf(call));
    throw fail.conflict(`Cannot 'restore' instance ${server.id} while it is in vm_state ${server.vmState}`);
  },
});

/** No delete is deferred, so this is one like any other. */
const forceDelete = op(ServerHandlers, {
  method: 'POST',
  path,
  action: 'forceDelete',
  rule: member('os-deferred-delete:force'),
  status: 202,
  body: bare('forceDelete'),
  load: (handlers, call) => loadServer(handlers, call),
  run: async (handlers, call, server) => {
    await handlers.remove(server, askerOf(call));
    return {};
  },
});

/** The network of a guest is always what network says: there is nothing to inject. */
const inject = op(ServerHandlers, {
  method: 'POST',
  path,
  action: 'injectNetworkInfo',
  rule: admin('os-admin-actions:inject_network_info'),
  status: 202,
  load: (handlers, call) => loadServer(handlers, call),
  run: () => ({}),
});

export const serverActionOps: readonly Op[] = [
  ...plain,
  reboot,
  ...locks,
  consoleOutput,
  ...groups,
  restore,
  forceDelete,
  inject,
  ...refused,
];
