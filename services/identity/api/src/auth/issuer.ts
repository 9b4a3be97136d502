/**
 * From a request to a token. What was proved (a password, a token, a credential) is compared again with the snapshot that
 * the rights are read from, so nothing that changes in between, however long argon2 queued, can leave its old rights in a
 * token; the snapshot's number of revocations goes into the token for what changes afterwards.
 */
import { fail, isFailure } from '#libs/kernel';
import { mintToken, type TokenClaims, type TokenVerifier, type VerifiedToken } from '#libs/platform/policy';
import type {
  ApplicationCredentials,
  AuthReads,
  Directory,
  DirectoryState,
  RevocationLog,
  Snapshot,
  Trusts,
} from '#services/identity/data';
import {
  auditChain,
  decideScope,
  expiryOf,
  methodsOf,
  refused,
  type Scope,
  type ScopeRequest,
  timeMs,
} from '#services/identity/domain';
import type { Settings } from '../settings.js';
import type { Methods, Proof } from './passport.js';
import { type AuthBody, scopeOf, type WantedScope } from './token.wire.js';

export interface IssuedToken {
  readonly token: string;
  readonly claims: TokenClaims;
  readonly directory: DirectoryState;
}

/** What the token is limited by besides the user's own rights. */
interface Limits {
  readonly within?: readonly string[];
  readonly expiresAtMs?: number | undefined;
  readonly claims?: Pick<TokenClaims, 'applicationCredential' | 'trust'>;
}

interface Plan extends Limits {
  readonly snapshot: Snapshot;
  readonly request: ScopeRequest;
}

export interface IssuerParts {
  readonly methods: Methods;
  readonly auth: AuthReads;
  readonly applicationCredentials: ApplicationCredentials;
  readonly trusts: Trusts;
  readonly directory: Directory;
  readonly revocations: RevocationLog;
  readonly verifier: TokenVerifier;
  readonly settings: Settings;
}

type ParentProof = Extract<Proof, { method: 'token' }>;

export class TokenIssuer {
  constructor(private readonly parts: IssuerParts) {}

  /** Throws `unauthorized` for every reason that lies in the credentials or the scope. */
  async issue({ auth }: AuthBody): Promise<IssuedToken> {
    const wanted = scopeOf(auth.scope);
    const proofs = await this.parts.methods.prove(auth.identity);
    const issuedAt = this.parts.settings.nowMs;
    const plan = await this.#plan(proofs, wanted, issuedAt);
    const directory = await this.parts.directory.atLeast(plan.snapshot.directoryVersion);
    const scope = decideScope(plan.snapshot.standing, plan.request, directory.graph, plan.within);
    const claims = this.#claims(proofs, plan, scope, issuedAt);
    if (claims.expiresAt <= issuedAt) throw refused();
    if (claims.trust && !(await this.parts.trusts.use(claims.trust.id))) throw refused();
    const { kid, key } = this.parts.settings.signingKey;
    return { token: mintToken(claims, kid, key), claims, directory };
  }

  /**
   * Ids of the roles that the bearer could delegate in the token's project: what the user holds there now, or what an
   * application credential has of it.
   */
  async delegable({ claims }: VerifiedToken, projectId: string): Promise<readonly string[]> {
    const request: ScopeRequest = { kind: 'project', ref: { id: projectId } };
    const snapshot = await this.parts.auth.standing(claims.userId, request);
    if (!snapshot) throw refused();
    const { graph } = await this.parts.directory.atLeast(snapshot.directoryVersion);
    const held = decideScope(snapshot.standing, request, graph).roles.map((role) => role.id);
    const limited = claims.applicationCredential && new Set(claims.roles.map(([id]) => id));
    return limited ? held.filter((id) => limited.has(id)) : held;
  }

  /** True where the user holds any role on the system. */
  async mayHaveSystem(userId: string): Promise<boolean> {
    const snapshot = await this.parts.auth.standing(userId, { kind: 'system' });
    return (snapshot?.standing.assignments.length ?? 0) > 0;
  }

  async #plan(proofs: readonly [Proof, ...Proof[]], wanted: WantedScope, nowMs: number): Promise<Plan> {
    const parent = proofs.find((proof) => proof.method === 'token');
    if (parent?.claims.trust) throw fail.forbidden('A token of a trust can not be exchanged for another.');
    const [{ userId }] = proofs;
    if (wanted.kind === 'trust') return this.#byTrust(userId, proofs, wanted.id, nowMs);
    const credentialId = credentialOf(proofs);
    if (credentialId !== undefined) return this.#byCredential(userId, proofs, credentialId, wanted, nowMs);
    const snapshot = await this.#snapshot(userId, wanted, proofs);
    return { snapshot, request: wanted };
  }

  /** Reads the user as he stands and compares what was proved with it. */
  async #snapshot(userId: string, request: ScopeRequest, proofs: readonly Proof[]): Promise<Snapshot> {
    const snapshot = await this.parts.auth.standing(userId, request);
    if (!snapshot?.standing.user.enabled) throw refused();
    for (const proof of proofs) await this.#holdsStill(proof, snapshot);
    return snapshot;
  }

  async #holdsStill(proof: Proof, snapshot: Snapshot): Promise<void> {
    if (proof.method === 'password' && proof.passwordHash !== snapshot.passwordHash) throw refused();
    if (proof.method === 'token') {
      // Revocations that the snapshot counts but this process has not heard of may concern the token.
      if (snapshot.seq > this.parts.revocations.lastSeq) await this.parts.revocations.pull();
      this.parts.verifier.verify(proof.token);
    }
    if (proof.method === 'application_credential') {
      const known = await this.parts.applicationCredentials.known(proof.known.credential.id);
      if (known?.secretHash !== proof.known.secretHash) throw refused();
    }
  }

  /** Always the credential's own project and no more than its roles, also through a token that was made by it. */
  async #byCredential(
    userId: string,
    proofs: readonly Proof[],
    credentialId: string,
    wanted: ScopeRequest,
    nowMs: number,
  ): Promise<Plan> {
    const known = await this.parts.applicationCredentials.known(credentialId);
    if (known?.credential.userId !== userId) throw refused();
    const { id, name, projectId, roleIds, unrestricted, expiresAt } = known.credential;
    const same = wanted.kind === 'project' && 'id' in wanted.ref && wanted.ref.id === projectId;
    if (wanted.kind !== 'default' && !same)
      throw fail.forbidden('An application credential is bound to its project: no scope can be asked for.');
    const expiresAtMs = expiresAt === undefined ? undefined : timeMs(expiresAt);
    if (expiresAtMs !== undefined && expiresAtMs <= nowMs) throw refused();
    const request: ScopeRequest = { kind: 'project', ref: { id: projectId } };
    const snapshot = await this.#snapshot(userId, request, proofs);
    const applicationCredential = { id, name, restricted: !unrestricted };
    return { snapshot, request, within: roleIds, expiresAtMs, claims: { applicationCredential } };
  }

  /** The trustee proves himself; the rights are the trustor's, as he stands now. */
  async #byTrust(userId: string, proofs: readonly Proof[], trustId: string, nowMs: number): Promise<Plan> {
    if (credentialOf(proofs) !== undefined)
      throw fail.forbidden('An application credential is bound to its project: no scope can be asked for.');
    const trust = await this.parts.trusts.find(trustId).catch((error: unknown) => {
      throw isFailure(error, 'notFound') ? refused() : error;
    });
    const expiresAtMs = trust.expiresAt === undefined ? undefined : timeMs(trust.expiresAt);
    if (trust.trusteeUserId !== userId || (expiresAtMs !== undefined && expiresAtMs <= nowMs)) throw refused();
    const trustee = await this.#snapshot(userId, { kind: 'unscoped' }, proofs);
    const request: ScopeRequest = { kind: 'project', ref: { id: trust.projectId } };
    const trustor = await this.#snapshot(trust.trustorUserId, request, []);
    const user = trust.impersonation ? trustor.standing.user : trustee.standing.user;
    const snapshot = { ...trustor, seq: Math.min(trustee.seq, trustor.seq), standing: { ...trustor.standing, user } };
    const { id, impersonation, trustorUserId, trusteeUserId } = trust;
    const claims = { trust: { id, impersonation, trustorUserId, trusteeUserId } };
    return { snapshot, request, within: trust.roleIds, expiresAtMs, claims };
  }

  #claims(proofs: readonly Proof[], plan: Plan, scope: Scope, issuedAt: number): TokenClaims {
    const { settings } = this.parts;
    const { user } = plan.snapshot.standing;
    const parent = proofs.find((proof): proof is ParentProof => proof.method === 'token')?.claims;
    const { project, domain, system } = scope;
    return {
      userId: user.id,
      userName: user.name,
      userDomainId: user.domain.id,
      userDomainName: user.domain.name,
      ...(project && {
        project: { id: project.id, name: project.name, domainId: project.domain.id, domainName: project.domain.name },
      }),
      ...(domain && { domain: { id: domain.id, name: domain.name } }),
      ...(system && { system }),
      roles: scope.roles.map(({ id, name }) => [id, name] as const),
      methods: methodsOf(
        proofs.map((proof) => proof.method),
        parent,
      ),
      issuedAt,
      expiresAt: expiryOf(issuedAt, settings.tokenLifetimeMs, parent?.expiresAt, plan.expiresAtMs),
      auditIds: auditChain(Buffer.from(settings.ids.hex(), 'hex').toString('base64url'), parent),
      knownSeq: plan.snapshot.seq,
      ...plan.claims,
    };
  }
}

/** The application credential behind the proofs, directly or through a token. */
function credentialOf(proofs: readonly Proof[]): string | undefined {
  for (const proof of proofs) {
    if (proof.method === 'application_credential') return proof.known.credential.id;
    if (proof.method === 'token' && proof.claims.applicationCredential) return proof.claims.applicationCredential.id;
  }
  return undefined;
}
