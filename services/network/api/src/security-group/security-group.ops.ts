import { op } from '#libs/platform/http';
import type { Credentials } from '#libs/platform/policy';
import { reaches, type SecurityGroup } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { SecurityGroupHandlers } from './security-group.handlers.js';
import { createGroupBody, updateGroupBody } from './security-group.wire.js';

const load = (handlers: SecurityGroupHandlers, call: AnyCall): Promise<SecurityGroup> => handlers.load(call);
const shared = (group: SecurityGroup, who: Credentials): boolean => reaches(group.sharedWith, who.projectId);

export const securityGroupOps = [
  op(SecurityGroupHandlers, {
    method: 'POST',
    path: '/v2.0/security-groups',
    rule: R.createGroup,
    status: 201,
    body: createGroupBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(SecurityGroupHandlers, {
    method: 'GET',
    path: '/v2.0/security-groups',
    rule: R.getGroup,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(SecurityGroupHandlers, {
    method: 'GET',
    path: '/v2.0/security-groups/:id',
    rule: R.getGroup,
    status: 200,
    load,
    shared,
    run: (handlers, call, group) => handlers.show(call, group),
  }),
  op(SecurityGroupHandlers, {
    method: 'PUT',
    path: '/v2.0/security-groups/:id',
    rule: R.updateGroup,
    status: 200,
    body: updateGroupBody,
    load,
    shared,
    run: (handlers, call, group) => handlers.update(call, group),
  }),
  op(SecurityGroupHandlers, {
    method: 'DELETE',
    path: '/v2.0/security-groups/:id',
    rule: R.deleteGroup,
    status: 204,
    load,
    shared,
    run: (handlers, call, group) => handlers.remove(call, group),
  }),
];
