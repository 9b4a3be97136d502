import { Injectable } from '@nestjs/common';
import type { Call, Reply } from '#libs/platform/http';
import { Services } from '#services/identity/data';
import type { Service } from '#services/identity/domain';
import { extraOf, filtersOf, listReply, type Query } from '../resource.js';
import { Settings } from '../settings.js';
import { SERVICE_FIELDS, type ServiceCreate, type ServiceUpdate, viewService } from './service.wire.js';

@Injectable()
export class ServiceHandlers {
  constructor(
    private readonly services: Services,
    private readonly settings: Settings,
  ) {}

  async list(call: Call<undefined, Query>): Promise<Reply> {
    const services = await this.services.list(filtersOf(call.query, { name: 'text', type: 'text' }));
    return listReply(
      call,
      'services',
      services.map((service) => viewService(service, call)),
    );
  }

  async show(call: Call<undefined, Query>): Promise<Reply> {
    return { body: { service: viewService(await this.services.find(call.params['service_id']!), call) } };
  }

  async create(call: Call<ServiceCreate, Query>): Promise<Reply> {
    const given = call.body.service;
    const service: Service = {
      id: this.settings.ids.hex(),
      type: given.type,
      name: given.name,
      description: given.description ?? undefined,
      enabled: given.enabled ?? true,
      extra: extraOf(given, SERVICE_FIELDS) ?? {},
    };
    await this.services.create(service);
    return { body: { service: viewService(service, call) } };
  }

  async update(call: Call<ServiceUpdate, Query>): Promise<Reply> {
    const given = call.body.service;
    const service = await this.services.update(call.params['service_id']!, {
      ...(given.type !== undefined && { type: given.type }),
      name: given.name,
      description: given.description ?? undefined,
      ...(given.enabled !== undefined && { enabled: given.enabled }),
      ...withExtra(extraOf(given, SERVICE_FIELDS)),
    });
    return { body: { service: viewService(service, call) } };
  }

  async remove(call: Call<undefined, Query>): Promise<Reply> {
    await this.services.remove(call.params['service_id']!);
    return {};
  }
}

/** Leaves the key out where there is nothing. */
export const withExtra = <E>(extra: E | undefined): { extra?: E } => (extra === undefined ? {} : { extra });
