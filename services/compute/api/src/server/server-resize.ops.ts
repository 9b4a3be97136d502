/** Resize, and the owner's decision about it. */
import { Type } from 'typebox';
import { type Op, op } from '#libs/platform/http';
import { body, type Checked } from '#libs/wire';
import { member } from '../compute.rules.js';
import { flavorOf } from './server-create.wire.js';
import { ServerResizeHandlers } from './server-resize.handlers.js';
import { askerOf, loadServer } from './server-target.js';

const path = '/v2.1/servers/:id/action';
const shut = { additionalProperties: false } as const;

const resizeBody = body(
  Type.Object(
    {
      resize: Type.Object(
        {
          flavorRef: Type.Union([Type.String({ minLength: 1, maxLength: 255 }), Type.Integer({ minimum: 0 })]),
          'OS-DCF:diskConfig': Type.Optional(Type.Union([Type.Literal('AUTO'), Type.Literal('MANUAL')])),
        },
        shut,
      ),
    },
    shut,
  ),
);
const bare = (name: string): Checked<unknown> =>
  body(Type.Object({ [name]: Type.Unknown() }, shut)) as Checked<unknown>;

const decision = (action: 'confirmResize' | 'revertResize', rule: string, status: number): Op =>
  op(ServerResizeHandlers, {
    method: 'POST',
    path,
    action,
    rule: member(rule),
    status,
    body: bare(action),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.decide(server, action, askerOf(call));
      return {};
    },
  });

export const serverResizeOps: readonly Op[] = [
  op(ServerResizeHandlers, {
    method: 'POST',
    path,
    action: 'resize',
    rule: member('servers:resize'),
    status: 202,
    body: resizeBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const { flavorRef, 'OS-DCF:diskConfig': diskConfig } = call.body.resize;
      const order = { flavorId: flavorOf(flavorRef), ...(diskConfig ? { diskConfig } : {}) };
      await handlers.resize(server, order, askerOf(call));
      return {};
    },
  }),
  decision('confirmResize', 'servers:confirm_resize', 204),
  decision('revertResize', 'servers:revert_resize', 202),
];
