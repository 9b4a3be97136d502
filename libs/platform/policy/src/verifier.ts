/**
 * Judges tokens from memory: keys and revocations come from identity's feed, verified tokens are kept in a bounded
 * cache. A feed older than five seconds makes every answer `unavailable`, never a guess in either direction.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Clock, fail } from '#libs/kernel';
import type { Credentials } from './credentials.js';
import { credentialsOf, openToken, type TokenClaims } from './token.js';

/** Every present field must match; the token must have been issued before `issuedBeforeMs`. */
export interface Revocation {
  readonly seq: number;
  readonly issuedBeforeMs: number;
  readonly auditId?: string | undefined;
  readonly auditChainId?: string | undefined;
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly domainId?: string | undefined;
  readonly roleId?: string | undefined;
}

export interface VerifiedToken {
  readonly token: string;
  readonly claims: TokenClaims;
  readonly credentials: Credentials;
}

const STALE_AFTER_MS = 5_000;
const CACHE_SIZE = 20_000;

export class TokenVerifier {
  readonly #clock: Clock;
  readonly #cache = new Map<string, VerifiedToken>();
  readonly #revoked = new Map<string, Revocation[]>();
  #keys = new Map<string, KeyObject>();
  #lastSeq = 0;
  #heardAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The number to resume the feed from. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get fresh(): boolean {
    return this.#clock.now().getTime() - this.#heardAt <= STALE_AFTER_MS && this.#keys.size > 0;
  }

  setKeys(keys: readonly { kid: string; publicPem: string }[]): void {
    this.#keys = new Map(keys.map(({ kid, publicPem }) => [kid, createPublicKey(publicPem)]));
    this.#cache.clear();
    this.heard();
  }

  /** The feed is alive. */
  heard(): void {
    this.#heardAt = this.#clock.now().getTime();
  }

  revoke(revocation: Revocation): void {
    const key = indexKey(revocation);
    const list = this.#revoked.get(key);
    if (list) list.push(revocation);
    else this.#revoked.set(key, [revocation]);
    this.#lastSeq = Math.max(this.#lastSeq, revocation.seq);
    this.heard();
  }

  /** Throws `unauthorized` for a token that is forged, expired or revoked, `unavailable` while the feed is stale. */
  verify(token: string): VerifiedToken {
    if (!this.fresh)
      throw fail.unavailable('Tokens can not be judged right now: identity is not reached.', { retryAfter: 1 });
    const known = this.#cache.get(token) ?? this.#open(token);
    const { claims } = known;
    if (claims.expiresAt <= this.#clock.now().getTime() || this.#isRevoked(claims)) {
      this.#cache.delete(token);
      throw fail.unauthorized('The request you have made requires authentication.');
    }
    return known;
  }

  #open(token: string): VerifiedToken {
    const claims = openToken(token, this.#keys);
    const verified = { token, claims, credentials: credentialsOf(claims) };
    if (this.#cache.size >= CACHE_SIZE) {
      const oldest = this.#cache.keys().next().value;
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    this.#cache.set(token, verified);
    return verified;
  }

  #isRevoked(claims: TokenClaims): boolean {
    if (!this.#revoked.size) return false;
    return indexKeysOf(claims).some(
      (key) => this.#revoked.get(key)?.some((revocation) => matches(revocation, claims)) ?? false,
    );
  }
}

/** A revocation is filed under its most selective field. */
function indexKey(r: Revocation): string {
  if (r.auditId) return `a:${r.auditId}`;
  if (r.auditChainId) return `c:${r.auditChainId}`;
  if (r.userId) return `u:${r.userId}`;
  if (r.projectId) return `p:${r.projectId}`;
  if (r.domainId) return `d:${r.domainId}`;
  return r.roleId ? `r:${r.roleId}` : '*';
}

function indexKeysOf(claims: TokenClaims): string[] {
  const keys = [`a:${claims.auditIds[0]}`, `c:${claims.auditIds.at(-1)}`, `u:${claims.userId}`, '*'];
  if (claims.project) keys.push(`p:${claims.project.id}`);
  for (const domain of domainsOf(claims)) keys.push(`d:${domain}`);
  for (const [id] of claims.roles) keys.push(`r:${id}`);
  return keys;
}

const domainsOf = (claims: TokenClaims): string[] =>
  [claims.userDomainId, claims.project?.domainId, claims.domain?.id].filter((id): id is string => id !== undefined);

function matches(r: Revocation, claims: TokenClaims): boolean {
  return (
    claims.issuedAt < r.issuedBeforeMs &&
    (!r.auditId || r.auditId === claims.auditIds[0]) &&
    (!r.auditChainId || r.auditChainId === claims.auditIds.at(-1)) &&
    (!r.userId || r.userId === claims.userId) &&
    (!r.projectId || r.projectId === claims.project?.id) &&
    (!r.domainId || domainsOf(claims).includes(r.domainId)) &&
    (!r.roleId || claims.roles.some(([id]) => id === r.roleId))
  );
}
