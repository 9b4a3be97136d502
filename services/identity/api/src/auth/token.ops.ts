import { type Op, op } from '#libs/platform/http';
import type { Query } from '../resource.js';
import { adminOrOwner, anyone, readsOrOwner } from '../rules.js';
import { type Subject, TokenHandlers } from './token.handlers.js';
import { type AuthBody, authBody } from './token.wire.js';

const TOKENS = '/v3/auth/tokens';
/** A token belongs to a user, whatever project it is for. */
const shared = () => true;

export const tokenOps: readonly Op[] = [
  op<TokenHandlers, AuthBody, Query>(TokenHandlers, {
    method: 'POST',
    path: TOKENS,
    rule: 'public',
    status: 201,
    body: authBody,
    run: (handlers, call) => handlers.issue(call),
  }),
  op<TokenHandlers, undefined, Query, Subject>(TokenHandlers, {
    method: 'GET',
    path: TOKENS,
    rule: readsOrOwner('validate_token'),
    status: 200,
    shared,
    load: (handlers, call) => handlers.subject(call),
    run: (handlers, call, { subject }) => handlers.show(call, subject),
  }),
  op<TokenHandlers, undefined, Query, Subject>(TokenHandlers, {
    method: 'DELETE',
    path: TOKENS,
    rule: adminOrOwner('revoke_token'),
    status: 204,
    shared,
    load: (handlers, call) => handlers.subject(call),
    run: (handlers, _call, { subject }) => handlers.revoke(subject),
  }),
  op<TokenHandlers, undefined, Query>(TokenHandlers, {
    method: 'GET',
    path: '/v3/auth/projects',
    rule: anyone('get_auth_projects'),
    status: 200,
    run: (handlers, call) => handlers.listProjects(call),
  }),
  op<TokenHandlers, undefined, Query>(TokenHandlers, {
    method: 'GET',
    path: '/v3/auth/domains',
    rule: anyone('get_auth_domains'),
    status: 200,
    run: (handlers, call) => handlers.listDomains(call),
  }),
  op<TokenHandlers, undefined, Query>(TokenHandlers, {
    method: 'GET',
    path: '/v3/auth/system',
    rule: anyone('get_auth_system'),
    status: 200,
    run: (handlers, call) => handlers.listSystem(call),
  }),
  op<TokenHandlers, undefined, Query>(TokenHandlers, {
    method: 'GET',
    path: '/v3/auth/catalog',
    rule: anyone('get_auth_catalog'),
    status: 200,
    run: (handlers, call) => handlers.catalog(call),
  }),
];
