/**
 * Judges tokens from memory: keys and revocations come from identity's feed, verified tokens are kept in a bounded
 * cache. A feed older than five seconds makes every answer `unavailable`, never a guess in either direction.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Clock, fail } from '#libs/kernel';
import type { Credentials } from './credentials.js';
import { credentialsOf, openToken, type TokenClaims } from './token.js';

/**
 * Every present field must match a token that is older: issued before `issuedBeforeMs`, or made from rights that were
 * read before this revocation was written. The second half needs no clock, so a token that was being made while its
 * user was being disabled can not slip through.
 */
export interface Revocation {
  readonly seq: number;
  readonly issuedBeforeMs: number;
  /** From then on no token is left that this could concern. */
  readonly untilMs: number;
  readonly auditId?: string | undefined;
  readonly auditChainId?: string | undefined;
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly domainId?: string | undefined;
  readonly roleId?: string | undefined;
  /** An application credential or a trust. */
  readonly delegationId?: string | undefined;
}

export interface VerifiedToken {
  readonly token: string;
  readonly claims: TokenClaims;
  readonly credentials: Credentials;
}

const STALE_AFTER_MS = 5_000;
const CACHE_SIZE = 20_000;
const PRUNE_EVERY_MS = 60_000;

export class TokenVerifier {
  readonly #clock: Clock;
  readonly #cache = new Map<string, VerifiedToken>();
  readonly #revoked = new Map<string, Revocation[]>();
  #keys = new Map<string, KeyObject>();
  #lastSeq = 0;
  #heardAt = 0;
  #prunedAt = 0;

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

  /**
   * Takes a revocation; one that was taken already is ignored. It is no sign of life: while a feed catches up, more may
   * be to come, and only a beat says that everything has come.
   */
  revoke(revocation: Revocation): void {
    if (revocation.seq <= this.#lastSeq) return;
    const key = indexKey(revocation);
    const list = this.#revoked.get(key);
    if (list) list.push(revocation);
    else this.#revoked.set(key, [revocation]);
    this.#lastSeq = revocation.seq;
    this.#prune();
  }

  /** The claims of a token, be it expired since `graceMs` at most. Throws like `verify`. */
  verifyExpired(token: string, graceMs: number): VerifiedToken {
    if (!this.fresh) throw staleFeed();
    const claims = openToken(token, this.#keys);
    if (claims.expiresAt + graceMs <= this.#clock.now().getTime() || this.#isRevoked(claims)) throw refused();
    return { token, claims, credentials: credentialsOf(claims) };
  }

  /** Throws `unauthorized` for a token that is forged, expired or revoked, `unavailable` while the feed is stale. */
  verify(token: string): VerifiedToken {
    if (!this.fresh) throw staleFeed();
    const known = this.#cache.get(token) ?? this.#open(token);
    const { claims } = known;
    if (claims.expiresAt <= this.#clock.now().getTime() || this.#isRevoked(claims)) {
      this.#cache.delete(token);
      throw refused();
    }
    return known;
  }

  #prune(): void {
    const now = this.#clock.now().getTime();
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = now;
    for (const [key, list] of this.#revoked) {
      const live = list.filter((revocation) => revocation.untilMs > now);
      if (live.length) this.#revoked.set(key, live);
      else this.#revoked.delete(key);
    }
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

const staleFeed = () =>
  fail.unavailable('Tokens can not be judged right now: identity is not reached.', { retryAfter: 1 });
const refused = () => fail.unauthorized('The request you have made requires authentication.');

/** A revocation is filed under its most selective field. */
function indexKey(r: Revocation): string {
  if (r.auditId) return `a:${r.auditId}`;
  if (r.auditChainId) return `c:${r.auditChainId}`;
  if (r.delegationId) return `g:${r.delegationId}`;
  if (r.userId) return `u:${r.userId}`;
  if (r.projectId) return `p:${r.projectId}`;
  if (r.domainId) return `d:${r.domainId}`;
  return r.roleId ? `r:${r.roleId}` : '*';
}

function indexKeysOf(claims: TokenClaims): string[] {
  const keys = [`a:${claims.auditIds[0]}`, `c:${claims.auditIds.at(-1)}`, `u:${claims.userId}`, '*'];
  const delegation = delegationOf(claims);
  if (delegation) keys.push(`g:${delegation}`);
  // A trust acts for both its users: rights lost by either end it.
  if (claims.trust) keys.push(`u:${claims.trust.trustorUserId}`, `u:${claims.trust.trusteeUserId}`);
  if (claims.project) keys.push(`p:${claims.project.id}`);
  for (const domain of domainsOf(claims)) keys.push(`d:${domain}`);
  for (const [id] of claims.roles) keys.push(`r:${id}`);
  return keys;
}

const domainsOf = (claims: TokenClaims): string[] =>
  [claims.userDomainId, claims.project?.domainId, claims.domain?.id].filter((id): id is string => id !== undefined);

const delegationOf = (claims: TokenClaims): string | undefined => claims.applicationCredential?.id ?? claims.trust?.id;

const concernsUser = (claims: TokenClaims, userId: string): boolean =>
  [claims.userId, claims.trust?.trustorUserId, claims.trust?.trusteeUserId].includes(userId);

function matches(r: Revocation, claims: TokenClaims): boolean {
  return (
    (claims.issuedAt < r.issuedBeforeMs || (claims.knownSeq !== undefined && claims.knownSeq < r.seq)) &&
    (!r.auditId || r.auditId === claims.auditIds[0]) &&
    (!r.auditChainId || r.auditChainId === claims.auditIds.at(-1)) &&
    (!r.userId || concernsUser(claims, r.userId)) &&
    (!r.delegationId || r.delegationId === delegationOf(claims)) &&
    (!r.projectId || r.projectId === claims.project?.id) &&
    (!r.domainId || domainsOf(claims).includes(r.domainId)) &&
    (!r.roleId || claims.roles.some(([id]) => id === r.roleId))
  );
}
