import { type Call, type Op, op } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import type { Query } from '../resource.js';
import { adminOrOwner, owner, readsOrOwner } from '../rules.js';
import { ApplicationCredentialHandlers as Handlers } from './application-credential.handlers.js';
import { type ApplicationCredentialCreate, applicationCredentialCreate } from './application-credential.wire.js';

const LIST = '/v3/users/:user_id/application_credentials';

const ofUser = {
  load: async (_handlers: Handlers, call: Call<unknown, unknown>): Promise<Target> => ({
    userId: call.params['user_id'],
  }),
  shared: () => true,
};

export const applicationCredentialOps: readonly Op[] = [
  op<Handlers, undefined, Query, Target>(Handlers, {
    method: 'GET',
    path: LIST,
    rule: readsOrOwner('list_application_credentials'),
    status: 200,
    ...ofUser,
    run: (handlers, call) => handlers.list(call),
  }),
  op<Handlers, ApplicationCredentialCreate, Query, Target>(Handlers, {
    method: 'POST',
    path: LIST,
    rule: owner('create_application_credential'),
    status: 201,
    body: applicationCredentialCreate,
    ...ofUser,
    run: (handlers, call) => handlers.create(call),
  }),
  op<Handlers, undefined, Query, Target>(Handlers, {
    method: 'GET',
    path: `${LIST}/:credential_id`,
    rule: readsOrOwner('get_application_credential'),
    status: 200,
    ...ofUser,
    run: (handlers, call) => handlers.show(call),
  }),
  op<Handlers, undefined, Query, Target>(Handlers, {
    method: 'DELETE',
    path: `${LIST}/:credential_id`,
    rule: adminOrOwner('delete_application_credential'),
    status: 204,
    ...ofUser,
    run: (handlers, call) => handlers.remove(call),
  }),
];
