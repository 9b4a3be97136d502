import { type Op, op } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import type { Query } from '../resource.js';
import { adminOrOwner, anyone, readsOrOwner } from '../rules.js';
import { CredentialHandlers, type FoundCredential } from './credential.handlers.js';
import { type CredentialCreate, type CredentialUpdate, credentialCreate, credentialUpdate } from './credential.wire.js';

const CREDENTIAL = '/v3/credentials/:credential_id';
const shared = () => true;

export const credentialOps: readonly Op[] = [
  // The list is narrowed to what the caller may see of it.
  op<CredentialHandlers, undefined, Query>(CredentialHandlers, {
    method: 'GET',
    path: '/v3/credentials',
    rule: anyone('list_credentials'),
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op<CredentialHandlers, CredentialCreate, Query, Target>(CredentialHandlers, {
    method: 'POST',
    path: '/v3/credentials',
    rule: adminOrOwner('create_credential'),
    status: 201,
    body: credentialCreate,
    shared,
    load: async (_handlers, call) => ({ userId: call.body.credential.user_id ?? call.who.userId }),
    run: (handlers, call) => handlers.create(call),
  }),
  op<CredentialHandlers, undefined, Query, FoundCredential>(CredentialHandlers, {
    method: 'GET',
    path: CREDENTIAL,
    rule: readsOrOwner('get_credential'),
    status: 200,
    shared,
    load: (handlers, call) => handlers.find(call),
    run: (handlers, call, found) => handlers.show(call, found),
  }),
  op<CredentialHandlers, CredentialUpdate, Query, FoundCredential>(CredentialHandlers, {
    method: 'PATCH',
    path: CREDENTIAL,
    rule: adminOrOwner('update_credential'),
    status: 200,
    body: credentialUpdate,
    shared,
    load: (handlers, call) => handlers.find(call),
    run: (handlers, call, found) => handlers.update(call, found),
  }),
  op<CredentialHandlers, undefined, Query, FoundCredential>(CredentialHandlers, {
    method: 'DELETE',
    path: CREDENTIAL,
    rule: adminOrOwner('delete_credential'),
    status: 204,
    shared,
    load: (handlers, call) => handlers.find(call),
    run: (handlers, _call, found) => handlers.remove(found),
  }),
];
