import { describe, expect, it } from 'vitest';
import { isFailure } from '#libs/kernel';
import type { TokenClaims } from '#libs/platform/policy';
import { authBody, refOf, scopeOf, tokenJson } from './token.wire.js';

const methods = { identity: { methods: ['password'] } };

describe('what is asked for', () => {
  it.each([
    [undefined, { kind: 'default' }],
    ['unscoped', { kind: 'unscoped' }],
    [{ unscoped: {} }, { kind: 'unscoped' }],
    [{ system: { all: true } }, { kind: 'system' }],
    [{ project: { id: 'p' } }, { kind: 'project', ref: { id: 'p' } }],
    [{ project: { name: 'n', domain: { name: 'D' } } }, { kind: 'project', ref: { name: 'n', domain: { name: 'D' } } }],
    [{ domain: { name: 'D' } }, { kind: 'domain', ref: { name: 'D' } }],
    [{ 'OS-TRUST:trust': { id: 't' } }, { kind: 'trust', id: 't' }],
  ] as const)('%j', (scope, wanted) => {
    expect(authBody.check({ auth: { ...methods, ...(scope && { scope }) } }, 0)).toBeUndefined();
    expect(scopeOf(scope as never)).toEqual(wanted);
  });

  it.each([
    [{ project: { id: 'p' }, domain: { id: 'd' } }],
    [{}],
    [{ project: {} }],
    [{ project: { name: 'n' } }],
    [{ domain: {} }],
  ])('%j is refused', (scope) => {
    let thrown: unknown;
    try {
      scopeOf(scope as never);
    } catch (error) {
      thrown = error;
    }
    expect(isFailure(thrown, 'invalid')).toBe(true);
  });

  it.each([
    [{}],
    [{ auth: {} }],
    [{ auth: { identity: {} } }],
    [{ auth: { identity: { methods: [] } } }],
    [{ auth: { identity: { methods: ['password'], password: { user: { name: 'x' } } } } }],
    [{ auth: { identity: { methods: ['password'], password: { user: { id: { $gt: '' }, password: 'x' } } } } }],
    [{ auth: { ...methods, scope: { system: { all: 'yes' } } } }],
    [{ auth: { ...methods, scope: 'all' } }],
    [[]],
    [null],
  ])('%j does not fit', (value) => {
    expect(authBody.check(value, 0)).toBeTypeOf('string');
  });

  it('takes an id before a name', () => {
    expect(refOf({ id: 'i', name: 'n' }, 'user')).toEqual({ id: 'i' });
    expect(refOf({ name: 'n', domain: { id: 'i', name: 'n' } }, 'user')).toEqual({ name: 'n', domain: { id: 'i' } });
  });
});

const claims: TokenClaims = {
  userId: 'u',
  userName: 'user',
  userDomainId: 'd',
  userDomainName: 'D',
  roles: [['r', 'member']],
  methods: ['password'],
  issuedAt: Date.UTC(2026, 0, 1),
  expiresAt: Date.UTC(2026, 0, 1, 1),
  auditIds: ['a'],
  knownSeq: 7,
};
const shown = (more: Partial<TokenClaims>, catalog?: string) =>
  JSON.parse(tokenJson({ ...claims, ...more }, catalog).toString()).token;

describe('a token as it is answered', () => {
  it('is worded as Keystone words it', () => {
    const project = { id: 'p', name: 'P', domainId: 'd', domainName: 'D' };
    expect(shown({ project }, '[{"type":"identity"}]')).toEqual({
      methods: ['password'],
      user: { domain: { id: 'd', name: 'D' }, id: 'u', name: 'user', password_expires_at: null },
      audit_ids: ['a'],
      expires_at: '2026-01-01T01:00:00.000000Z',
      issued_at: '2026-01-01T00:00:00.000000Z',
      project: { domain: { id: 'd', name: 'D' }, id: 'p', name: 'P' },
      is_domain: false,
      roles: [{ id: 'r', name: 'member' }],
      catalog: [{ type: 'identity' }],
    });
  });

  it('has neither roles nor a catalog without a scope', () => {
    const unscoped = shown({ roles: [] }, '[]');
    expect(Object.keys(unscoped)).toEqual(['methods', 'user', 'audit_ids', 'expires_at', 'issued_at']);
  });

  it('says what it was delegated by', () => {
    const applicationCredential = { id: 'c', name: 'ci', restricted: true };
    expect(shown({ applicationCredential }).application_credential).toEqual(applicationCredential);
    const trust = { id: 't', impersonation: false, trustorUserId: 'a', trusteeUserId: 'b' };
    expect(shown({ trust })['OS-TRUST:trust']).toEqual({
      id: 't',
      impersonation: false,
      trustor_user: { id: 'a' },
      trustee_user: { id: 'b' },
    });
  });
});
