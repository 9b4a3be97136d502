import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { ApplicationCredentials, Directory, Secrets } from '#services/identity/data';
import { type ApplicationCredential, delegatedRoles, futureTime } from '#services/identity/domain';
import { refuseDelegated } from '../auth/delegated.js';
import { TokenIssuer } from '../auth/issuer.js';
import { filtersOf, listReply, type Query } from '../resource.js';
import { Settings } from '../settings.js';
import { type ApplicationCredentialCreate, viewApplicationCredential } from './application-credential.wire.js';

@Injectable()
export class ApplicationCredentialHandlers {
  constructor(
    private readonly credentials: ApplicationCredentials,
    private readonly directory: Directory,
    private readonly secrets: Secrets,
    private readonly issuer: TokenIssuer,
    private readonly settings: Settings,
  ) {}

  async list(call: Call<undefined, Query>): Promise<Reply> {
    const { graph } = await this.directory.current();
    const filters = filtersOf(call.query, { name: 'text' });
    const credentials = await this.credentials.list(call.params['user_id']!, filters);
    return listReply(
      call,
      'application_credentials',
      credentials.map((credential) => viewApplicationCredential(credential, graph, call)),
    );
  }

  async show(call: Call<undefined, Query>): Promise<Reply> {
    const { user_id: userId = '', credential_id: id = '' } = call.params;
    const credential = await this.credentials.find(userId, id);
    const { graph } = await this.directory.current();
    return { body: { application_credential: viewApplicationCredential(credential, graph, call) } };
  }

  /** For the project of the token, with no more than is held there. The secret is answered this once. */
  async create(call: Call<ApplicationCredentialCreate, Query>): Promise<Reply> {
    refuseDelegated(call);
    const { claims } = call.token;
    const given = call.body.application_credential;
    if (!claims.project) throw fail.forbidden('An application credential is made with a token of its project.');
    // Rules that nobody enforces would promise a limit that is not there.
    if (given.access_rules?.length) throw fail.invalid('Access rules are not offered.');
    const { graph } = await this.directory.current();
    const held = await this.issuer.delegable(call.token, claims.project.id);
    const secret = given.secret ?? this.secrets.generate();
    const credential: ApplicationCredential = {
      id: this.settings.ids.hex(),
      userId: claims.userId,
      projectId: claims.project.id,
      name: given.name,
      description: given.description ?? null,
      roleIds: delegatedRoles(given.roles, held, graph),
      unrestricted: given.unrestricted === true,
      expiresAt: given.expires_at ? futureTime(given.expires_at, this.settings.nowMs) : undefined,
    };
    await this.credentials.create(credential, await this.secrets.hash(secret));
    return { body: { application_credential: { ...viewApplicationCredential(credential, graph, call), secret } } };
  }

  async remove(call: Call<undefined, Query>): Promise<Reply> {
    refuseDelegated(call);
    await this.credentials.remove(call.params['user_id']!, call.params['credential_id']!);
    return {};
  }
}
