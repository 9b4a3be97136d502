import { Injectable } from '@nestjs/common';
import type { Call, Reply } from '#libs/platform/http';
import { Projects } from '#services/identity/data';
import { checkTags } from '#services/identity/domain';
import { immutable } from '../project/project.handlers.js';
import { extraOf, filtersOf, listReply, type Query } from '../resource.js';
import { Settings } from '../settings.js';
import { DOMAIN_FIELDS, type DomainCreate, type DomainUpdate, viewDomain } from './domain.wire.js';

@Injectable()
export class DomainHandlers {
  constructor(
    private readonly projects: Projects,
    private readonly settings: Settings,
  ) {}

  async list(call: Call<undefined, Query>): Promise<Reply> {
    const filters = filtersOf(call.query, { name: 'text', enabled: 'boolean' });
    const domains = await this.projects.list([...filters, { field: 'is_domain', match: 'equals', value: true }]);
    return listReply(
      call,
      'domains',
      domains.map((domain) => viewDomain(domain, call)),
    );
  }

  async show(call: Call<undefined, Query>): Promise<Reply> {
    return { body: { domain: viewDomain(await this.projects.find(call.params['domain_id']!, 'domain'), call) } };
  }

  async create(call: Call<DomainCreate, Query>): Promise<Reply> {
    const given = call.body.domain;
    checkTags(given.tags ?? []);
    const domain = await this.projects.create({
      id: given.explicit_domain_id ?? this.settings.ids.hex(),
      name: given.name,
      domainId: undefined,
      parentId: undefined,
      isDomain: true,
      enabled: given.enabled ?? true,
      description: given.description ?? '',
      tags: given.tags ?? [],
      options: immutable(given.options),
      extra: extraOf(given, DOMAIN_FIELDS) ?? {},
    });
    return { body: { domain: viewDomain(domain, call) } };
  }

  async update(call: Call<DomainUpdate, Query>): Promise<Reply> {
    const given = call.body.domain;
    if (given.tags) checkTags(given.tags);
    const patch = {
      name: given.name,
      description: given.description === null ? '' : given.description,
      enabled: given.enabled,
      tags: given.tags,
      options: given.options && immutable(given.options),
      extra: extraOf(given, DOMAIN_FIELDS),
    };
    const domain = await this.projects.update(call.params['domain_id']!, patch, 'domain');
    return { body: { domain: viewDomain(domain, call) } };
  }

  async remove(call: Call<undefined, Query>): Promise<Reply> {
    await this.projects.remove(call.params['domain_id']!, 'domain');
    return {};
  }
}
