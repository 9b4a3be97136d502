import { op } from '#libs/platform/http';
import type { AnyCall, ImageTarget } from '../image/image.handlers.js';
import { ANY_BODY, ofImage } from '../image/image.ops.js';
import { RULES } from '../image/image.rules.js';
import { MemberHandlers } from './member.handlers.js';

const ofMember = {
  ...ofImage<MemberHandlers>(),
  load: (handlers: MemberHandlers, call: AnyCall) => handlers.findWithMember(call),
};

export const memberOps = [
  op(MemberHandlers, {
    method: 'POST',
    path: '/v2/images/:id/members',
    rule: RULES.addMember,
    status: 200,
    body: ANY_BODY,
    ...ofImage<MemberHandlers>(),
    run: (handlers, call, image: ImageTarget) => handlers.create(call, image),
  }),
  op(MemberHandlers, {
    method: 'GET',
    path: '/v2/images/:id/members',
    rule: RULES.getMembers,
    status: 200,
    ...ofImage<MemberHandlers>(),
    run: (handlers, call, image: ImageTarget) => handlers.list(call, image),
  }),
  op(MemberHandlers, {
    method: 'GET',
    path: '/v2/images/:id/members/:member',
    rule: RULES.getMember,
    status: 200,
    ...ofMember,
    run: (handlers, call, image: ImageTarget) => handlers.show(call, image),
  }),
  op(MemberHandlers, {
    method: 'PUT',
    path: '/v2/images/:id/members/:member',
    rule: RULES.modifyMember,
    status: 200,
    body: ANY_BODY,
    ...ofMember,
    run: (handlers, call, image: ImageTarget) => handlers.update(call, image),
  }),
  op(MemberHandlers, {
    method: 'DELETE',
    path: '/v2/images/:id/members/:member',
    rule: RULES.deleteMember,
    status: 204,
    ...ofMember,
    run: (handlers, call, image: ImageTarget) => handlers.delete(call, image),
  }),
];
