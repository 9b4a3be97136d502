/** Shelving: a server that is kept as an image, its addresses and quota with it. */
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import type { Rule } from '#libs/platform/policy';
import { body, variants } from '#libs/wire';
import { admin, member } from '../compute.rules.js';
import { Name } from '../values.wire.js';
import { ServerShelveHandlers } from './server-shelve.handlers.js';
import { askerOf, loadServer } from './server-target.js';

const path = '/v2.1/servers/:id/action';
const shut = { additionalProperties: false } as const;

interface Wish {
  readonly availability_zone?: string | null;
  readonly host?: string;
}
const wishOf = (zone: 'text' | 'text or null', host: boolean) =>
  Type.Unsafe<Wish | null>({
    type: ['object', 'null'],
    properties: {
      availability_zone: zone === 'text' ? Name : { anyOf: [{ type: 'null' }, Name] },
      ...(host ? { host: Name } : {}),
    },
    ...shut,
  });

/** Up to 2.76 whatever is sent with the word is overlooked. */
const unshelveBody = body(
  variants(
    ['2.1', Type.Object({ unshelve: Type.Unsafe<unknown>({}) }, shut)],
    ['2.77', Type.Object({ unshelve: wishOf('text', false) }, shut)],
    ['2.91', Type.Object({ unshelve: wishOf('text or null', true) }, shut)],
  ),
);

const TO_HOST = admin('os-shelve:unshelve_to_host');
/** Asked for by name. */
export const serverShelveRules: readonly Rule[] = [TO_HOST];

const bare = (name: 'shelve' | 'shelveOffload') => body(Type.Object({ [name]: Type.Unknown() }, shut));
const SPANS = [
  { since: '2.1', until: '2.76', heeded: false },
  { since: '2.77', heeded: true },
] as const;

export const serverShelveOps: readonly Op[] = [
  op(ServerShelveHandlers, {
    method: 'POST',
    path,
    action: 'shelve',
    rule: member('os-shelve:shelve'),
    status: 202,
    body: bare('shelve'),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.shelve(server, askerOf(call));
      return {};
    },
  }),
  op(ServerShelveHandlers, {
    method: 'POST',
    path,
    action: 'shelveOffload',
    rule: admin('os-shelve:shelve_offload'),
    status: 202,
    body: bare('shelveOffload'),
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      await handlers.offload(server, askerOf(call));
      return {};
    },
  }),
  ...SPANS.map(({ heeded, ...span }) =>
    op(ServerShelveHandlers, {
      method: 'POST',
      path,
      ...span,
      action: 'unshelve',
      rule: member('os-shelve:unshelve'),
      status: 202,
      body: unshelveBody,
      load: (handlers, call) => loadServer(handlers, call),
      run: async (handlers, call, server) => {
        const given = heeded ? (call.body.unshelve as Wish | null) : null;
        if (given?.host !== undefined && !call.may(TO_HOST.name, server))
          throw fail.forbidden(`Policy doesn't allow ${TO_HOST.name} to be performed.`);
        const zone = given?.availability_zone;
        const wish = {
          ...(zone === undefined ? {} : { zone }),
          ...(given?.host === undefined ? {} : { host: given.host }),
        };
        await handlers.unshelve(server, wish, askerOf(call));
        return {};
      },
    }),
  ),
];
