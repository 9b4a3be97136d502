import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { FLAVOR_FIELDS } from '#services/network/data';
import {
  checkMakesRouters,
  checkServiceType,
  type Flavor,
  flavorNotFound,
  profileNotBound,
  profileNotFound,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import { type FlavorChangeBody, flavorView, type NewFlavorBody, type ProfileOfFlavorBody } from './flavor.wire.js';

@Injectable()
export class FlavorHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async load(call: AnyCall): Promise<Flavor> {
    const id = idOf(call, flavorNotFound);
    return this.find(id);
  }

  async create(call: AnyCall): Promise<Reply> {
    const { flavor: item } = call.body as { flavor: NewFlavorBody };
    checkServiceType(item.service_type);
    const flavor: Flavor = {
      id: this.parts.ids.uuid(),
      name: item.name ?? '',
      description: item.description ?? '',
      serviceType: item.service_type,
      enabled: isOn(item.enabled) ?? true,
      profileIds: [],
    };
    const { flavors, db } = this.parts.books;
    await flavors.insert(db, flavor, this.parts.now());
    return { body: { flavor: flavorView(flavor) } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, FLAVOR_FIELDS);
    const { flavors, db } = this.parts.books;
    return { body: listBody('flavors', await flavors.list(db, request), request, call, flavorView) };
  }

  show(call: AnyCall, flavor: Flavor): Reply {
    const { fields } = readList(call.query, FLAVOR_FIELDS);
    return { body: { flavor: pick(flavorView(flavor), fields) } };
  }

  async update(call: AnyCall, { id }: Flavor): Promise<Reply> {
    const { flavor: item } = call.body as { flavor: FlavorChangeBody };
    const { flavors, db } = this.parts.books;
    const description = item.description === null ? '' : item.description;
    await flavors.update(db, id, { name: item.name, description, enabled: isOn(item.enabled) });
    return { body: { flavor: flavorView(await this.find(id)) } };
  }

  async remove({ id }: Flavor): Promise<Reply> {
    const { flavors, db } = this.parts.books;
    await flavors.delete(db, id);
    return {};
  }

  async bind(call: AnyCall, flavor: Flavor): Promise<Reply> {
    const { id } = (call.body as { service_profile: ProfileOfFlavorBody }).service_profile;
    if (!isUuid(id)) throw profileNotFound(id);
    const { flavors, db } = this.parts.books;
    await flavors.bind(db, flavor.id, id.toLowerCase());
    return { body: { service_profile: { id } } };
  }

  async unbind(call: AnyCall, flavor: Flavor): Promise<Reply> {
    const missing = (id: string): Error => profileNotBound(id, flavor.id);
    const id = idOf(call, missing, 'profile');
    const { flavors, db } = this.parts.books;
    if (!(await flavors.unbind(db, flavor.id, id))) throw missing(id);
    return {};
  }

  private async find(id: string): Promise<Flavor> {
    const { flavors, db } = this.parts.books;
    const flavor = await flavors.find(db, id);
    if (!flavor) throw flavorNotFound(id);
    return flavor;
  }
}

/** The flavor that a new router shall be of, where one is named and makes routers. */
export async function routerFlavor({ books }: NetworkParts, id: string | null | undefined): Promise<string | null> {
  if (id == null) return null;
  const { flavors, serviceProfiles, db } = books;
  const flavor = isUuid(id) ? await flavors.find(db, id) : undefined;
  if (!flavor) throw flavorNotFound(id);
  const [first] = flavor.profileIds;
  checkMakesRouters(flavor, first === undefined ? undefined : await serviceProfiles.find(db, first));
  return flavor.id;
}
