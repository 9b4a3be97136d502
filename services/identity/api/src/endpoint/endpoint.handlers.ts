import { Injectable } from '@nestjs/common';
import type { Call, Reply } from '#libs/platform/http';
import { Endpoints } from '#services/identity/data';
import type { Endpoint } from '#services/identity/domain';
import { extraOf, filtersOf, listReply, type Query } from '../resource.js';
import { withExtra } from '../service/service.handlers.js';
import { Settings } from '../settings.js';
import { ENDPOINT_FIELDS, type EndpointCreate, type EndpointUpdate, viewEndpoint } from './endpoint.wire.js';

const FILTERS = { interface: 'text', service_id: 'text', region_id: 'text', region: 'text' } as const;

@Injectable()
export class EndpointHandlers {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly settings: Settings,
  ) {}

  async list(call: Call<undefined, Query>): Promise<Reply> {
    const endpoints = await this.endpoints.list(filtersOf(call.query, FILTERS));
    return listReply(
      call,
      'endpoints',
      endpoints.map((endpoint) => viewEndpoint(endpoint, call)),
    );
  }

  async show(call: Call<undefined, Query>): Promise<Reply> {
    return { body: { endpoint: viewEndpoint(await this.endpoints.find(call.params['endpoint_id']!), call) } };
  }

  async create(call: Call<EndpointCreate, Query>): Promise<Reply> {
    const given = call.body.endpoint;
    const endpoint: Endpoint = {
      id: this.settings.ids.hex(),
      serviceId: given.service_id,
      regionId: given.region_id ?? given.region ?? undefined,
      interface: given.interface,
      url: given.url,
      enabled: given.enabled ?? true,
      extra: extraOf(given, ENDPOINT_FIELDS) ?? {},
    };
    await this.endpoints.create(endpoint, given.region_id ? undefined : (given.region ?? undefined));
    return { body: { endpoint: viewEndpoint(endpoint, call) } };
  }

  async update(call: Call<EndpointUpdate, Query>): Promise<Reply> {
    const given = call.body.endpoint;
    const regionId = given.region_id ?? given.region ?? undefined;
    const patch = {
      ...(given.service_id !== undefined && { serviceId: given.service_id }),
      ...(regionId !== undefined && { regionId }),
      ...(given.interface !== undefined && { interface: given.interface }),
      ...(given.url !== undefined && { url: given.url }),
      ...(given.enabled !== undefined && { enabled: given.enabled }),
      ...withExtra(extraOf(given, ENDPOINT_FIELDS)),
    };
    const made = given.region_id ? undefined : (given.region ?? undefined);
    const endpoint = await this.endpoints.update(call.params['endpoint_id']!, patch, made);
    return { body: { endpoint: viewEndpoint(endpoint, call) } };
  }

  async remove(call: Call<undefined, Query>): Promise<Reply> {
    await this.endpoints.remove(call.params['endpoint_id']!);
    return {};
  }
}
