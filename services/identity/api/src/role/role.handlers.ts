import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { Directory, Roles } from '#services/identity/data';
import type { Role } from '#services/identity/domain';
import { immutable } from '../project/project.handlers.js';
import { extraOf, filtersOf, listReply, type Query } from '../resource.js';
import { Settings } from '../settings.js';
import { ROLE_FIELDS, type RoleCreate, type RoleUpdate, viewImplied, viewRole } from './role.wire.js';

type Implication = Call<undefined, Query>;

@Injectable()
export class RoleHandlers {
  constructor(
    private readonly roles: Roles,
    private readonly directory: Directory,
    private readonly settings: Settings,
  ) {}

  async list(call: Call<undefined, Query>): Promise<Reply> {
    const roles = await this.roles.list(filtersOf(call.query, { name: 'text', domain_id: 'text' }));
    return listReply(
      call,
      'roles',
      roles.map((role) => viewRole(role, call)),
    );
  }

  async show(call: Call<undefined, Query>): Promise<Reply> {
    return { body: { role: viewRole(await this.roles.find(call.params['role_id']!), call) } };
  }

  async create(call: Call<RoleCreate, Query>): Promise<Reply> {
    const given = call.body.role;
    const role: Role = {
      id: this.settings.ids.hex(),
      name: given.name,
      domainId: given.domain_id ?? undefined,
      description: given.description ?? null,
      options: immutable(given.options),
      extra: extraOf(given, ROLE_FIELDS) ?? {},
    };
    await this.roles.create(role);
    return { body: { role: viewRole(role, call) } };
  }

  async update(call: Call<RoleUpdate, Query>): Promise<Reply> {
    const given = call.body.role;
    if (given.domain_id) {
      const before = await this.roles.find(call.params['role_id']!);
      if (before.domainId !== given.domain_id) throw fail.invalid('The domain of a role can not be changed.');
    }
    const role = await this.roles.update(call.params['role_id']!, {
      name: given.name,
      description: given.description,
      options: given.options && immutable(given.options),
      extra: extraOf(given, ROLE_FIELDS),
    });
    return { body: { role: viewRole(role, call) } };
  }

  async remove(call: Call<undefined, Query>): Promise<Reply> {
    await this.roles.remove(call.params['role_id']!);
    return {};
  }

  async listImplied(call: Implication): Promise<Reply> {
    const prior = await this.roles.find(call.params['role_id']!);
    const { graph } = await this.directory.current();
    return { body: this.#inference(prior, graph.impliedBy(prior.id), call) };
  }

  async listInferences(call: Implication): Promise<Reply> {
    const { graph } = await this.directory.current();
    const inferences = graph.roles
      .map((role) => ({ role, implied: graph.impliedBy(role.id) }))
      .filter(({ implied }) => implied.length)
      .map(({ role, implied }) => ({
        prior_role: viewImplied(role, call),
        implies: implied.map((each) => viewImplied(each, call)),
      }));
    return { body: { role_inferences: inferences, links: { self: `${call.base}${call.url}` } } };
  }

  async showImplied(call: Implication): Promise<Reply> {
    const prior = await this.roles.find(call.params['role_id']!);
    const { graph } = await this.directory.current();
    const implied = graph.impliedBy(prior.id).find((role) => role.id === call.params['implied_role_id']);
    if (!implied) throw fail.notFound(`Role ${prior.id} does not imply role ${call.params['implied_role_id']}.`);
    return { body: this.#single(prior, implied, call) };
  }

  async imply(call: Implication): Promise<Reply> {
    const { role_id: priorId = '', implied_role_id: impliedId = '' } = call.params;
    await this.roles.imply(priorId, impliedId);
    return { body: this.#single(await this.roles.find(priorId), await this.roles.find(impliedId), call) };
  }

  async unimply(call: Implication): Promise<Reply> {
    await this.roles.unimply(call.params['role_id']!, call.params['implied_role_id']!);
    return {};
  }

  #single(prior: Role, implied: Role, call: Implication) {
    return {
      role_inference: { prior_role: viewImplied(prior, call), implies: viewImplied(implied, call) },
      links: { self: `${call.base}${call.url}` },
    };
  }

  #inference(prior: Role, implied: readonly Role[], call: Implication) {
    return {
      role_inference: {
        prior_role: viewImplied(prior, call),
        implies: implied.map((role) => viewImplied(role, call)),
      },
      links: { self: `${call.base}${call.url}` },
    };
  }
}
