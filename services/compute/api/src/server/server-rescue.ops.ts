/** Rescue: booting a server from another disk, with its own beside it. */
import { Type } from 'typebox';
import { type Op, op } from '#libs/platform/http';
import { body } from '#libs/wire';
import { member } from '../compute.rules.js';
import { Uuid } from './server-create.wire.js';
import { freshPassword } from './server-rebuild.ops.js';
import { ServerRescueHandlers } from './server-rescue.handlers.js';
import { askerOf, loadServer } from './server-target.js';

const path = '/v2.1/servers/:id/action';
const shut = { additionalProperties: false } as const;

const rescueBody = body(
  Type.Object(
    {
      rescue: Type.Union([
        Type.Null(),
        Type.Object(
          { adminPass: Type.Optional(Type.String({ maxLength: 255 })), rescue_image_ref: Type.Optional(Uuid) },
          shut,
        ),
      ]),
    },
    shut,
  ),
);

export const serverRescueOps: readonly Op[] = [
  op(ServerRescueHandlers, {
    method: 'POST',
    path,
    action: 'rescue',
    rule: member('os-rescue'),
    status: 200,
    body: rescueBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const { adminPass = freshPassword(), rescue_image_ref: image } = call.body.rescue ?? {};
      await handlers.rescue(server, image?.toLowerCase(), adminPass, askerOf(call));
      return { body: { adminPass } };
    },
  }),
  op(ServerRescueHandlers, {
    method: 'POST',
    path,
    action: 'unrescue',
    rule: member('os-unrescue'),
    status: 202,
    body: body(Type.Object({ unrescue: Type.Unknown() }, shut)),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.unrescue(server, askerOf(call));
      return {};
    },
  }),
];
