import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import { LONGEST, type Region } from '#services/identity/domain';
import { type AnyCall, MaybeText, selfLink, wrapped } from '../resource.js';

const RegionId = Type.String({ maxLength: LONGEST.region });
const fields = {
  id: Type.Optional(RegionId),
  description: Type.Optional(MaybeText),
  parent_region_id: Type.Optional(Type.Union([RegionId, Type.Null()])),
};

const RegionBody = wrapped('region', Type.Object(fields));

export type RegionBody = Static<typeof RegionBody>;
export const regionBody = body(RegionBody);
export const REGION_FIELDS = Object.keys(fields);

export const viewRegion = (region: Region, call: AnyCall) => ({
  ...region.extra,
  id: region.id,
  description: region.description,
  parent_region_id: region.parentRegionId ?? null,
  links: selfLink(call, `regions/${encodeURIComponent(region.id)}`),
});
