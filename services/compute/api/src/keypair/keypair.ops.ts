/** Key pairs: the operations. They belong to users; an administrator may act for any from 2.10 on. */
import { type Op, op } from '#libs/platform/http';
import { ADMIN, any, rule, sameUser, type Target } from '#libs/platform/policy';
import { last, linksToNext, pageOf, pageSize } from '../paging.wire.js';
import { KeypairHandlers } from './keypair.handlers.js';
import {
  keypairQuery,
  keypairsQuery,
  listedKeypair,
  madeKeypair,
  newKeypairBody,
  shownKeypair,
} from './keypair.wire.js';

const keys = (what: string) => rule(`os_compute_api:os-keypairs:${what}`, any(ADMIN, sameUser));

/** The user whose keys they are: the caller unless the request names another one. */
const owner = (
  asked: string | undefined,
  call: { readonly who: { readonly userId: string } },
): Target & { userId: string } => ({
  userId: asked ?? call.who.userId,
});
const name = (call: { readonly params: Readonly<Record<string, string>> }): string => call.params['name'] ?? '';

export const keypairOps: readonly Op[] = [
  op(KeypairHandlers, {
    method: 'GET',
    path: '/v2.1/os-keypairs',
    rule: keys('index'),
    status: 200,
    query: keypairsQuery,
    load: async (_handlers, call) => owner(last(call.query.user_id), call),
    run: async (handlers, call, { userId }) => {
      const limit = pageSize(call.query.limit);
      const shown = pageOf(await handlers.list(userId, call.query.marker, limit), limit);
      const keypairs = shown.page.map((key) => ({ keypair: listedKeypair(key, call) }));
      return { body: { keypairs, ...linksToNext(call, 'keypairs', shown, (key) => key.name) } };
    },
  }),
  op(KeypairHandlers, {
    method: 'POST',
    path: '/v2.1/os-keypairs',
    rule: keys('create'),
    status: [
      ['2.1', 200],
      ['2.2', 201],
    ],
    body: newKeypairBody,
    load: async (_handlers, call) => owner(call.body.keypair.user_id, call),
    run: async (handlers, call, { userId }) => {
      const { name, type = 'ssh', public_key: publicKey } = call.body.keypair;
      const made = await handlers.create(call.who, { name, type, publicKey, userId });
      return { body: { keypair: madeKeypair(made, call) } };
    },
  }),
  op(KeypairHandlers, {
    method: 'GET',
    path: '/v2.1/os-keypairs/:name',
    rule: keys('show'),
    status: 200,
    query: keypairQuery,
    load: async (_handlers, call) => owner(last(call.query.user_id), call),
    run: async (handlers, call, { userId }) => ({
      body: { keypair: shownKeypair(await handlers.find(userId, name(call)), call) },
    }),
  }),
  op(KeypairHandlers, {
    method: 'DELETE',
    path: '/v2.1/os-keypairs/:name',
    rule: keys('delete'),
    status: [
      ['2.1', 202],
      ['2.2', 204],
    ],
    query: keypairQuery,
    load: async (_handlers, call) => owner(last(call.query.user_id), call),
    run: async (handlers, call, { userId }) => {
      await handlers.remove(userId, name(call));
      return {};
    },
  }),
];
