import { Injectable } from '@nestjs/common';
import { delay, fail, isFailure } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { TokenVerifier, type VerifiedToken } from '#libs/platform/policy';
import { Directory, EXPIRED_GRACE_MS, Projects, RevocationLog, Tokens } from '#services/identity/data';
import { viewDomain } from '../domain/domain.wire.js';
import { viewProject } from '../project/project.wire.js';
import { isSet, listReply, type Query } from '../resource.js';
import { TokenIssuer } from './issuer.js';
import { type AuthBody, tokenJson } from './token.wire.js';

/** How long a validation waits for the database before it trusts what the feed has told so far. */
const CATCH_UP_MS = 200;

export interface Subject {
  readonly userId: string;
  readonly subject: VerifiedToken;
}

@Injectable()
export class TokenHandlers {
  constructor(
    private readonly issuer: TokenIssuer,
    private readonly verifier: TokenVerifier,
    private readonly revocations: RevocationLog,
    private readonly directory: Directory,
    private readonly tokens: Tokens,
    private readonly projects: Projects,
  ) {}

  async issue(call: Call<AuthBody, Query>): Promise<Reply> {
    const { token, claims, directory } = await this.issuer.issue(call.body);
    const catalog = isSet(call.query, 'nocatalog') ? undefined : directory.catalogJson(claims.project?.id);
    return answer(token, tokenJson(claims, catalog));
  }

  /**
   * The token that is asked about. A token that was revoked through the other process a moment ago must not be found
   * here, so the ledger is asked first; while the database is away the feed's own limit of five seconds holds.
   */
  async subject(call: Call<undefined, Query>): Promise<Subject> {
    const text = call.headers['x-subject-token'];
    if (typeof text !== 'string' || !text) throw fail.notFound('Could not find token: none was named.');
    await this.#caughtUp();
    try {
      const subject = isSet(call.query, 'allow_expired')
        ? this.verifier.verifyExpired(text, EXPIRED_GRACE_MS)
        : this.verifier.verify(text);
      return { userId: subject.claims.userId, subject };
    } catch (error) {
      throw isFailure(error, 'unauthorized') ? fail.notFound('Could not find token.') : error;
    }
  }

  async #caughtUp(): Promise<void> {
    const done = new AbortController();
    await Promise.race([this.revocations.catchUp().catch(() => undefined), delay(CATCH_UP_MS, done.signal)]);
    done.abort();
  }

  show(call: Call<undefined, Query>, { token, claims }: VerifiedToken): Reply {
    const scoped = !isSet(call.query, 'nocatalog');
    return answer(token, tokenJson(claims, scoped ? this.directory.latest.catalogJson(claims.project?.id) : undefined));
  }

  async revoke({ claims }: VerifiedToken): Promise<Reply> {
    const [auditId] = claims.auditIds;
    if (auditId !== undefined) await this.tokens.revoke(auditId, claims.expiresAt);
    return {};
  }

  async listProjects(call: Call<undefined, Query>): Promise<Reply> {
    const projects = await this.projects.reachable(call.who.userId, 'project', true);
    const bound = call.token.claims.applicationCredential ?? call.token.claims.trust;
    const own = bound ? projects.filter((project) => project.id === call.who.projectId) : projects;
    return listReply(
      call,
      'projects',
      own.map((project) => viewProject(project, call)),
    );
  }

  async listDomains(call: Call<undefined, Query>): Promise<Reply> {
    const bound = call.token.claims.applicationCredential ?? call.token.claims.trust;
    const domains = bound ? [] : await this.projects.reachable(call.who.userId, 'domain', true);
    return listReply(
      call,
      'domains',
      domains.map((domain) => viewDomain(domain, call)),
    );
  }

  /** `[{all: true}]` for whoever may have a token for the system. */
  async listSystem(call: Call<undefined, Query>): Promise<Reply> {
    const bound = call.token.claims.applicationCredential ?? call.token.claims.trust;
    const holds = !bound && (await this.issuer.mayHaveSystem(call.who.userId));
    return {
      body: { system: holds ? [{ all: true }] : [], links: { self: `${call.base}${call.url}` } },
    };
  }

  catalog(call: Call<undefined, Query>): Reply {
    const { claims } = call.token;
    if (!claims.project && !claims.domain && !claims.system)
      throw fail.forbidden('The catalog can not be shown to a token without a scope.');
    const catalog = JSON.parse(this.directory.latest.catalogJson(claims.project?.id)) as unknown;
    return { body: { catalog, links: { self: `${call.base}${call.url}`, next: null, previous: null } } };
  }
}

const answer = (token: string, body: Buffer): Reply => ({
  headers: { 'Content-Type': 'application/json', 'X-Subject-Token': token, Vary: 'X-Auth-Token' },
  body,
});
