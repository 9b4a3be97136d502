import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { AuthReads, Groups, Secrets, Users } from '#services/identity/data';
import { refused, type User } from '#services/identity/domain';
import { extraOf, filtersOf, listReply, type Query } from '../resource.js';
import { Settings } from '../settings.js';
import { USER_FIELDS, type UserCreate, type UserPassword, type UserUpdate, viewUser } from './user.wire.js';

const FILTERS = { name: 'text', domain_id: 'text', enabled: 'boolean' } as const;

@Injectable()
export class UserHandlers {
  constructor(
    private readonly users: Users,
    private readonly groups: Groups,
    private readonly auth: AuthReads,
    private readonly secrets: Secrets,
    private readonly settings: Settings,
  ) {}

  async list(call: Call<undefined, Query>): Promise<Reply> {
    return this.#answer(call, await this.users.list(filtersOf(call.query, FILTERS)));
  }

  async listOfGroup(call: Call<undefined, Query>): Promise<Reply> {
    const { id } = await this.groups.find(call.params['group_id']!);
    return this.#answer(call, await this.users.list(filtersOf(call.query, FILTERS), id));
  }

  async show(call: Call<undefined, Query>): Promise<Reply> {
    return { body: { user: viewUser(await this.users.find(call.params['user_id']!), call) } };
  }

  async create(call: Call<UserCreate, Query>): Promise<Reply> {
    const given = call.body.user;
    const { who } = call;
    const user: User = {
      id: this.settings.ids.hex(),
      name: given.name,
      domainId: given.domain_id ?? who.domainId ?? who.projectDomainId ?? who.userDomainId,
      enabled: given.enabled ?? true,
      defaultProjectId: given.default_project_id ?? undefined,
      options: {},
      extra: extraOf(given, USER_FIELDS) ?? {},
    };
    await this.users.create(user, typeof given.password === 'string' ? await this.#hash(given.password) : undefined);
    return { body: { user: viewUser(user, call) } };
  }

  async update(call: Call<UserUpdate, Query>): Promise<Reply> {
    const id = call.params['user_id']!;
    const given = call.body.user;
    const before = await this.users.find(id);
    if (given.domain_id && given.domain_id !== before.domainId)
      throw fail.invalid('The domain of a user can not be changed.');
    const user = await this.users.update(id, {
      name: given.name,
      enabled: given.enabled,
      defaultProjectId: given.default_project_id,
      passwordHash: typeof given.password === 'string' ? await this.#hash(given.password) : given.password,
      extra: extraOf(given, USER_FIELDS),
    });
    return { body: { user: viewUser(user, call) } };
  }

  /** The old password is the credential here, as in a log-in: the same cost and answer whether the user exists or not. */
  async changePassword(call: Call<UserPassword, Query>): Promise<Reply> {
    const id = call.params['user_id']!;
    const { password, original_password: original } = call.body.user;
    const found = await this.auth.identify({ id });
    const holds = await this.secrets.verify(original, found?.passwordHash);
    const standing = await this.auth.standing(id, { kind: 'unscoped' });
    if (!holds || !found?.passwordHash || !standing?.standing.user.enabled) throw refused();
    if (password === original) throw fail.invalid('The new password must differ from the old one.');
    if (!(await this.users.replacePassword(id, found.passwordHash, await this.#hash(password)))) throw refused();
    return {};
  }

  async remove(call: Call<undefined, Query>): Promise<Reply> {
    await this.users.remove(call.params['user_id']!);
    return {};
  }

  #hash(password: string): Promise<string> {
    return this.secrets.hash(password);
  }

  #answer(call: Call<undefined, Query>, users: readonly User[]): Reply {
    return listReply(
      call,
      'users',
      users.map((user) => viewUser(user, call)),
    );
  }
}
