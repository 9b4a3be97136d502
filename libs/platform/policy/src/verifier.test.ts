import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { isFailure } from '#libs/kernel';
import { mintToken, type TokenClaims } from './token.js';
import { TokenVerifier } from './verifier.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

const START = 1_800_000_000_000;
const CLAIMS: TokenClaims = {
  userId: 'u',
  userName: 'user',
  userDomainId: 'default',
  userDomainName: 'Default',
  project: { id: 'p', name: 'proj', domainId: 'pd', domainName: 'PD' },
  roles: [['r1', 'member']],
  methods: ['password'],
  issuedAt: START,
  expiresAt: START + 60_000,
  auditIds: ['own', 'chain'],
};

let now = START;
let verifier: TokenVerifier;

function kindOf(token: string): string {
  try {
    return verifier.verify(token).credentials.userId;
  } catch (error) {
    return isFailure(error) ? error.kind : `not a failure: ${error}`;
  }
}

beforeEach(() => {
  now = START;
  verifier = new TokenVerifier({ now: () => new Date(now) });
  verifier.setKeys([{ kid: 'k', publicPem }]);
});

describe('a verifier', () => {
  it('accepts its own keys and nothing that was touched', () => {
    const token = mintToken(CLAIMS, 'k', privateKey);
    expect(kindOf(token)).toBe('u');
    const [prefix, kid, , signature] = token.split('.');
    const raised = Buffer.from(JSON.stringify({ ...CLAIMS, roles: [['r', 'admin']] })).toString('base64url');
    for (const bad of [
      '',
      'x',
      'y1.k.x',
      `${prefix}.${kid}.${raised}.${signature}`,
      `${token}x`,
      token.replace('.k.', '.j.'),
      mintToken(CLAIMS, 'k', other.privateKey),
    ]) {
      expect(kindOf(bad)).toBe('unauthorized');
    }
  });

  it('refuses an expired token, also from its cache', () => {
    const token = mintToken(CLAIMS, 'k', privateKey);
    expect(kindOf(token)).toBe('u');
    now = CLAIMS.expiresAt;
    verifier.heard();
    expect(kindOf(token)).toBe('unauthorized');
  });

  it('is unavailable, never guessing, when the feed is older than five seconds', () => {
    const token = mintToken(CLAIMS, 'k', privateKey);
    now += 5_001;
    expect(kindOf(token)).toBe('unavailable');
    verifier.heard();
    expect(kindOf(token)).toBe('u');
  });

  it.each([
    ['audit id', { auditId: 'own' }, true],
    ['another audit id', { auditId: 'chain' }, false],
    ['chain', { auditChainId: 'chain' }, true],
    ['user', { userId: 'u' }, true],
    ['project', { projectId: 'p' }, true],
    ['another project', { projectId: 'q' }, false],
    ['user in project', { userId: 'u', projectId: 'p' }, true],
    ['user in another project', { userId: 'u', projectId: 'q' }, false],
    ["the user's domain", { domainId: 'default' }, true],
    ["the project's domain", { domainId: 'pd' }, true],
    ['role', { roleId: 'r1' }, true],
    ['another role', { roleId: 'r2' }, false],
  ])('honours a revocation by %s', (_name, fields, revoked) => {
    const token = mintToken(CLAIMS, 'k', privateKey);
    expect(kindOf(token)).toBe('u');
    verifier.revoke({ seq: 1, issuedBeforeMs: START + 1, ...fields });
    expect(kindOf(token)).toBe(revoked ? 'unauthorized' : 'u');
    expect(verifier.lastSeq).toBe(1);
  });

  it('does not touch tokens issued after the revocation', () => {
    verifier.revoke({ seq: 1, issuedBeforeMs: START, userId: 'u' });
    expect(kindOf(mintToken(CLAIMS, 'k', privateKey))).toBe('u');
  });
});
