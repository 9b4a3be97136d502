import { op } from '#libs/platform/http';
import type { Credentials } from '#libs/platform/policy';
import { type AddressScope, reaches } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { AddressScopeHandlers } from './address-scope.handlers.js';
import { createAddressScopeBody, updateAddressScopeBody } from './address-scope.wire.js';

const load = (handlers: AddressScopeHandlers, call: AnyCall): Promise<AddressScope> => handlers.load(call);
const shared = (scope: AddressScope, who: Credentials): boolean => reaches(scope.sharedWith, who.projectId);

export const addressScopeOps = [
  op(AddressScopeHandlers, {
    method: 'POST',
    path: '/v2.0/address-scopes',
    rule: R.createAddressScope,
    status: 201,
    body: createAddressScopeBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(AddressScopeHandlers, {
    method: 'GET',
    path: '/v2.0/address-scopes',
    rule: R.getAddressScope,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(AddressScopeHandlers, {
    method: 'GET',
    path: '/v2.0/address-scopes/:id',
    rule: R.getAddressScope,
    status: 200,
    load,
    shared,
    run: (handlers, call, scope) => handlers.show(call, scope),
  }),
  op(AddressScopeHandlers, {
    method: 'PUT',
    path: '/v2.0/address-scopes/:id',
    rule: R.updateAddressScope,
    status: 200,
    body: updateAddressScopeBody,
    load,
    shared,
    run: (handlers, call, scope) => handlers.update(call, scope),
  }),
  op(AddressScopeHandlers, {
    method: 'DELETE',
    path: '/v2.0/address-scopes/:id',
    rule: R.deleteAddressScope,
    status: 204,
    load,
    shared,
    run: (handlers, call, scope) => handlers.remove(call, scope),
  }),
];
