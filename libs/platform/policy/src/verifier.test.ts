import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { isFailure } from '#libs/kernel';
import { mintToken, type TokenClaims } from './token.js';
import { type Revocation, TokenVerifier } from './verifier.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const START = 1_000_000_000_000;
const HOUR = 3_600_000;

let now = START;
let verifier: TokenVerifier;
beforeEach(() => {
  now = START;
  verifier = new TokenVerifier({ now: () => new Date(now) });
  verifier.setKeys([{ kid: 'k', publicPem: pem }]);
});

const claims: TokenClaims = {
  userId: 'u',
  userName: 'user',
  userDomainId: 'd',
  userDomainName: 'D',
  project: { id: 'p', name: 'project', domainId: 'pd', domainName: 'PD' },
  roles: [['r', 'member']],
  methods: ['password'],
  issuedAt: START,
  expiresAt: START + HOUR,
  auditIds: ['own', 'first'],
  knownSeq: 10,
};
const token = (more: Partial<TokenClaims> = {}): string => mintToken({ ...claims, ...more }, 'k', privateKey);
const revocation = (more: Partial<Revocation>): Revocation => ({
  seq: 11,
  issuedBeforeMs: START + 1,
  untilMs: START + HOUR,
  ...more,
});
const kindOf = (text: string): string => {
  try {
    verifier.verify(text);
    return 'good';
  } catch (error) {
    return isFailure(error) ? error.kind : String(error);
  }
};

describe('a token', () => {
  it('is good until it expires', () => {
    expect(kindOf(token())).toBe('good');
    for (now = START; now < START + HOUR; now += 4_000) verifier.heard();
    now = START + HOUR;
    expect(kindOf(token())).toBe('unauthorized');
    expect(verifier.verifyExpired(token(), HOUR).claims.userId).toBe('u');
    expect(() => verifier.verifyExpired(token(), 0)).toThrow();
  });

  it('is refused when forged, cut or of an unknown key', () => {
    const good = token();
    const [head, kid, body, signature] = good.split('.') as [string, string, string, string];
    const other = Buffer.from(JSON.stringify({ ...claims, userId: 'root' })).toString('base64url');
    for (const bad of [
      '',
      'x',
      good.slice(0, -4),
      `${head}.${kid}.${other}.${signature}`,
      `${head}.z.${body}.${signature}`,
    ])
      expect(kindOf(bad)).toBe('unauthorized');
  });

  it('is judged by nobody whose feed is stale', () => {
    now += 5_001;
    expect(kindOf(token())).toBe('unavailable');
    verifier.revoke(revocation({ userId: 'someone' }));
    expect(kindOf(token())).toBe('unavailable');
    verifier.heard();
    expect(kindOf(token())).toBe('good');
  });
});

describe('a revocation', () => {
  const hits: [string, Partial<Revocation>][] = [
    ['the token', { auditId: 'own' }],
    ['its chain', { auditChainId: 'first' }],
    ['its user', { userId: 'u' }],
    ['its project', { projectId: 'p' }],
    ["its project's domain", { domainId: 'pd' }],
    ["its user's domain", { domainId: 'd' }],
    ['a role in it', { roleId: 'r' }],
    ['user and project', { userId: 'u', projectId: 'p' }],
  ];
  it.each(hits)('of %s ends it, cached or not', (_what, fields) => {
    expect(kindOf(token())).toBe('good');
    verifier.revoke(revocation(fields));
    expect(kindOf(token())).toBe('unauthorized');
  });

  const misses: [string, Partial<Revocation>][] = [
    ['another token', { auditId: 'first' }],
    ['another user', { userId: 'v' }],
    ['the user on another project', { userId: 'u', projectId: 'q' }],
    ['another role of the user', { userId: 'u', roleId: 's' }],
    ['a delegation', { delegationId: 'c' }],
    ['the user, known when the token was made', { userId: 'u', seq: 10, issuedBeforeMs: START }],
  ];
  it.each(misses)('of %s leaves it', (_what, fields) => {
    verifier.revoke(revocation(fields));
    expect(kindOf(token())).toBe('good');
  });

  it('written after the rights were read ends a token that looks younger', () => {
    verifier.revoke(revocation({ userId: 'u', issuedBeforeMs: START - 50 }));
    expect(kindOf(token())).toBe('unauthorized');
    expect(kindOf(token({ knownSeq: 11 }))).toBe('good');
  });

  it('ends what was delegated, by the delegation and by either user of a trust', () => {
    const delegated = { applicationCredential: { id: 'c', name: 'c', restricted: true } };
    const trust = { trust: { id: 't', impersonation: true, trustorUserId: 'u', trusteeUserId: 'v' } };
    verifier.revoke(revocation({ delegationId: 'c' }));
    expect(kindOf(token(delegated))).toBe('unauthorized');
    expect(kindOf(token(trust))).toBe('good');
    verifier.revoke(revocation({ seq: 12, userId: 'v' }));
    expect(kindOf(token(trust))).toBe('unauthorized');
    expect(kindOf(token())).toBe('good');
  });

  it('is forgotten when no token is left that it could concern', () => {
    verifier.revoke(revocation({ userId: 'u' }));
    now += 2 * HOUR;
    verifier.revoke(revocation({ seq: 12, userId: 'w', untilMs: now + HOUR }));
    verifier.heard();
    expect(kindOf(token({ expiresAt: now + HOUR }))).toBe('good');
  });

  it('that comes twice counts once', () => {
    verifier.revoke(revocation({ userId: 'x' }));
    verifier.revoke(revocation({ userId: 'x' }));
    expect(verifier.lastSeq).toBe(11);
  });
});
