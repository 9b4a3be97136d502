import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { SERVICE_PROFILE_FIELDS } from '#services/network/data';
import { checkProfile, profileNotFound, type ServiceProfile } from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import { type ServiceProfileBody, serviceProfileView } from './service-profile.wire.js';

@Injectable()
export class ServiceProfileHandlers {
  constructor(private readonly parts: NetworkParts) {}

  /** Only for those who may see profiles is there any. */
  async load(call: AnyCall): Promise<ServiceProfile> {
    const id = idOf(call, profileNotFound);
    const { serviceProfiles, db } = this.parts.books;
    const profile = call.may('get_service_profile') ? await serviceProfiles.find(db, id) : undefined;
    if (!profile) throw profileNotFound(id);
    return profile;
  }

  async create(call: AnyCall): Promise<Reply> {
    const fresh = { id: this.parts.ids.uuid(), description: '', driver: '', metainfo: '', enabled: true };
    const profile = withBody(fresh, call);
    checkProfile(profile);
    const { serviceProfiles, db } = this.parts.books;
    await serviceProfiles.insert(db, profile, this.parts.now());
    return { body: { service_profile: serviceProfileView(profile) } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, SERVICE_PROFILE_FIELDS);
    const { serviceProfiles, db } = this.parts.books;
    const page = await serviceProfiles.list(db, request);
    return { body: listBody('service_profiles', page, request, call, serviceProfileView) };
  }

  show(call: AnyCall, profile: ServiceProfile): Reply {
    const { fields } = readList(call.query, SERVICE_PROFILE_FIELDS);
    return { body: { service_profile: pick(serviceProfileView(profile), fields) } };
  }

  async update(call: AnyCall, before: ServiceProfile): Promise<Reply> {
    const profile = withBody(before, call);
    checkProfile(profile);
    const { serviceProfiles, db } = this.parts.books;
    await serviceProfiles.update(db, profile);
    return { body: { service_profile: serviceProfileView(profile) } };
  }

  async remove({ id }: ServiceProfile): Promise<Reply> {
    const { serviceProfiles, db } = this.parts.books;
    await serviceProfiles.delete(db, id);
    return {};
  }
}

/** The profile with what the body says of it; null is the same as nothing. */
function withBody(profile: ServiceProfile, call: AnyCall): ServiceProfile {
  const { service_profile: item } = call.body as { service_profile: ServiceProfileBody };
  const said = (value: string | null | undefined, before: string) => (value === undefined ? before : (value ?? ''));
  return {
    id: profile.id,
    description: said(item.description, profile.description),
    driver: said(item.driver, profile.driver),
    metainfo: said(item.metainfo, profile.metainfo),
    enabled: isOn(item.enabled) ?? profile.enabled,
  };
}
