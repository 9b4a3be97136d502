import { op } from '#libs/platform/http';
import type { Credentials } from '#libs/platform/policy';
import { type AddressGroup, reaches } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { AddressGroupHandlers } from './address-group.handlers.js';
import { addressesBody, createAddressGroupBody, updateAddressGroupBody } from './address-group.wire.js';

const load = (handlers: AddressGroupHandlers, call: AnyCall): Promise<AddressGroup> => handlers.load(call);
const shared = (group: AddressGroup, who: Credentials): boolean => reaches(group.sharedWith, who.projectId);

export const addressGroupOps = [
  op(AddressGroupHandlers, {
    method: 'POST',
    path: '/v2.0/address-groups',
    rule: R.createAddressGroup,
    status: 201,
    body: createAddressGroupBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(AddressGroupHandlers, {
    method: 'GET',
    path: '/v2.0/address-groups',
    rule: R.getAddressGroup,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(AddressGroupHandlers, {
    method: 'GET',
    path: '/v2.0/address-groups/:id',
    rule: R.getAddressGroup,
    status: 200,
    load,
    shared,
    run: (handlers, call, group) => handlers.show(call, group),
  }),
  op(AddressGroupHandlers, {
    method: 'PUT',
    path: '/v2.0/address-groups/:id',
    rule: R.updateAddressGroup,
    status: 200,
    body: updateAddressGroupBody,
    load,
    shared,
    run: (handlers, call, group) => handlers.update(call, group),
  }),
  op(AddressGroupHandlers, {
    method: 'PUT',
    path: '/v2.0/address-groups/:id/add_addresses',
    rule: R.addAddresses,
    status: 200,
    body: addressesBody,
    load,
    shared,
    run: (handlers, call, group) => handlers.addAddresses(call, group),
  }),
  op(AddressGroupHandlers, {
    method: 'PUT',
    path: '/v2.0/address-groups/:id/remove_addresses',
    rule: R.removeAddresses,
    status: 200,
    body: addressesBody,
    load,
    shared,
    run: (handlers, call, group) => handlers.removeAddresses(call, group),
  }),
  op(AddressGroupHandlers, {
    method: 'DELETE',
    path: '/v2.0/address-groups/:id',
    rule: R.deleteAddressGroup,
    status: 204,
    load,
    shared,
    run: (handlers, call, group) => handlers.remove(call, group),
  }),
];
