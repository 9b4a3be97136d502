import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import { Credentials } from '#services/identity/data';
import type { Credential } from '#services/identity/domain';
import { refuseDelegated } from '../auth/delegated.js';
import { extraOf, filtersOf, listReply, type Query } from '../resource.js';
import { Settings } from '../settings.js';
import {
  CREDENTIAL_FIELDS,
  type CredentialCreate,
  type CredentialUpdate,
  ec2Id,
  viewCredential,
} from './credential.wire.js';

export interface FoundCredential extends Target {
  readonly credential: Credential;
}

/** A secret kept here may open more than a delegated token does, so such tokens neither see nor make any. */
@Injectable()
export class CredentialHandlers {
  constructor(
    private readonly credentials: Credentials,
    private readonly settings: Settings,
  ) {}

  /** Those of the user himself, and all for whoever may read all. */
  async list(call: Call<undefined, Query>): Promise<Reply> {
    refuseDelegated(call);
    const filters = filtersOf(call.query, { user_id: 'text', type: 'text' });
    if (!call.may('identity:get_credential', { userId: undefined }))
      filters.push({ field: 'user_id', match: 'equals', value: call.who.userId });
    const credentials = await this.credentials.list(filters);
    return listReply(
      call,
      'credentials',
      credentials.map((credential) => viewCredential(credential, call)),
    );
  }

  async find(call: Call<unknown, unknown>): Promise<FoundCredential> {
    refuseDelegated(call);
    const id = call.params['credential_id']!;
    const credential = await this.credentials.find(id);
    const may = call.may('identity:get_credential', { userId: credential.userId });
    if (!may) throw fail.notFound(`Could not find credential: ${id}.`);
    return { userId: credential.userId, credential };
  }

  show(call: Call<undefined, Query>, { credential }: FoundCredential): Reply {
    return { body: { credential: viewCredential(credential, call) } };
  }

  async create(call: Call<CredentialCreate, Query>): Promise<Reply> {
    refuseDelegated(call);
    const given = call.body.credential;
    const credential: Credential = {
      id: ec2Id(given) ?? this.settings.ids.hex(),
      userId: given.user_id ?? call.who.userId,
      projectId: given.project_id ?? undefined,
      type: given.type,
      blob: given.blob,
      extra: extraOf(given, CREDENTIAL_FIELDS) ?? {},
    };
    await this.credentials.create(credential);
    return { body: { credential: viewCredential(credential, call) } };
  }

  async update(call: Call<CredentialUpdate, Query>, found: FoundCredential): Promise<Reply> {
    const given = call.body.credential;
    if (given.user_id !== undefined && given.user_id !== found.credential.userId)
      throw fail.forbidden('The user of a credential can not be changed.');
    const credential = await this.credentials.update(found.credential.id, {
      type: given.type,
      blob: given.blob,
      projectId: given.project_id ?? undefined,
      extra: extraOf(given, CREDENTIAL_FIELDS),
    });
    return { body: { credential: viewCredential(credential, call) } };
  }

  async remove({ credential }: FoundCredential): Promise<Reply> {
    await this.credentials.remove(credential.id);
    return {};
  }
}
