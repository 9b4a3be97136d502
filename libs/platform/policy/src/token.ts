/**
 * The token: `y1.<kid>.<claims>.<signature>`, claims as base64url JSON, signed with Ed25519 by identity alone and
 * verified anywhere with no I/O (ADR 0005).
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import { fail } from '#libs/kernel';
import type { Credentials } from './credentials.js';

export interface TokenClaims {
  readonly userId: string;
  readonly userName: string;
  readonly userDomainId: string;
  readonly userDomainName: string;
  readonly project?: {
    readonly id: string;
    readonly name: string;
    readonly domainId: string;
    readonly domainName: string;
  };
  readonly domain?: { readonly id: string; readonly name: string };
  readonly system?: true;
  /** Every role in force, implied ones included, as [id, name]. */
  readonly roles: readonly (readonly [string, string])[];
  readonly methods: readonly string[];
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** [own audit id] or [own audit id, audit id of the first token of the chain]. */
  readonly auditIds: readonly string[];
  /** The highest revocation that was known when the rights in this token were read; later ones may concern it. */
  readonly knownSeq?: number;
  readonly applicationCredential?: { readonly id: string; readonly name: string; readonly restricted: boolean };
  readonly trust?: {
    readonly id: string;
    readonly impersonation: boolean;
    readonly trustorUserId: string;
    readonly trusteeUserId: string;
  };
}

/** No token lives longer, whatever is configured. What was revoked is remembered for as long. */
export const LONGEST_TOKEN_MS = 12 * 3_600_000;

const PREFIX = 'y1';

export function mintToken(claims: TokenClaims, kid: string, key: KeyObject): string {
  const body = `${PREFIX}.${kid}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${body}.${sign(null, Buffer.from(body), key).toString('base64url')}`;
}

const refuse = () => fail.unauthorized('The request you have made requires authentication.');

/** The claims of a token whose signature holds. Expiry and revocation are the caller's. Throws `unauthorized`. */
export function openToken(token: string, keys: ReadonlyMap<string, KeyObject>): TokenClaims {
  const end = token.lastIndexOf('.');
  const [prefix, kid, claims] = token.slice(0, Math.max(end, 0)).split('.');
  const key = prefix === PREFIX && kid ? keys.get(kid) : undefined;
  if (!key || !claims) throw refuse();
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  if (signature.length !== 64 || !verify(null, Buffer.from(token.slice(0, end)), key, signature)) throw refuse();
  return JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as TokenClaims;
}

export function credentialsOf(claims: TokenClaims): Credentials {
  return {
    userId: claims.userId,
    userName: claims.userName,
    userDomainId: claims.userDomainId,
    projectId: claims.project?.id,
    projectName: claims.project?.name,
    projectDomainId: claims.project?.domainId,
    domainId: claims.domain?.id,
    systemScope: claims.system === true,
    roles: new Set(claims.roles.map(([, name]) => name)),
  };
}
