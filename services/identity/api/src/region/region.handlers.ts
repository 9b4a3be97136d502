import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { Regions } from '#services/identity/data';
import type { Region } from '#services/identity/domain';
import { extraOf, filtersOf, listReply, type Query } from '../resource.js';
import { Settings } from '../settings.js';
import { REGION_FIELDS, type RegionBody, viewRegion } from './region.wire.js';

@Injectable()
export class RegionHandlers {
  constructor(
    private readonly regions: Regions,
    private readonly settings: Settings,
  ) {}

  async list(call: Call<undefined, Query>): Promise<Reply> {
    const regions = await this.regions.list(filtersOf(call.query, { parent_region_id: 'text' }));
    return listReply(
      call,
      'regions',
      regions.map((region) => viewRegion(region, call)),
    );
  }

  async show(call: Call<undefined, Query>): Promise<Reply> {
    return { body: { region: viewRegion(await this.regions.find(call.params['region_id']!), call) } };
  }

  /** Also `PUT /v3/regions/:region_id`, which names the id twice. */
  async create(call: Call<RegionBody, Query>): Promise<Reply> {
    const given = call.body.region;
    const named = call.params['region_id'];
    if (named !== undefined && given.id !== undefined && given.id !== named)
      throw fail.invalid('The id of the body differs from that of the path.');
    const region: Region = {
      id: named ?? (given.id || this.settings.ids.hex()),
      description: given.description ?? '',
      parentRegionId: given.parent_region_id ?? undefined,
      extra: extraOf(given, REGION_FIELDS) ?? {},
    };
    await this.regions.create(region);
    return { body: { region: viewRegion(region, call) } };
  }

  async update(call: Call<RegionBody, Query>): Promise<Reply> {
    const given = call.body.region;
    const region = await this.regions.update(call.params['region_id']!, {
      description: given.description === null ? '' : given.description,
      parentRegionId: given.parent_region_id,
      extra: extraOf(given, REGION_FIELDS),
    });
    return { body: { region: viewRegion(region, call) } };
  }

  async remove(call: Call<undefined, Query>): Promise<Reply> {
    await this.regions.remove(call.params['region_id']!);
    return {};
  }
}
