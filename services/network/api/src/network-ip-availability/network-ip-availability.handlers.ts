import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { AVAILABILITY_FIELDS } from '#services/network/data';
import { type NetworkAvailability, networkNotFound } from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf } from '../scope.js';
import { availabilityView } from './network-ip-availability.wire.js';

@Injectable()
export class NetworkIpAvailabilityHandlers {
  constructor(private readonly parts: NetworkParts) {}

  /** Whoever may not see how full networks are does not learn from here which there are. */
  async load(call: AnyCall): Promise<NetworkAvailability> {
    const id = idOf(call, networkNotFound);
    const { availabilities, db } = this.parts.books;
    const found = call.may('get_network_ip_availability') ? await availabilities.find(db, id) : undefined;
    if (!found) throw networkNotFound(id);
    return found;
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, AVAILABILITY_FIELDS);
    const { availabilities, db } = this.parts.books;
    const page = call.may('get_network_ip_availability')
      ? await availabilities.list(db, request)
      : { rows: [], more: false };
    return { body: listBody('network_ip_availabilities', page, request, call, availabilityView) };
  }

  show(call: AnyCall, found: NetworkAvailability): Reply {
    const { fields } = readList(call.query, AVAILABILITY_FIELDS);
    return { body: { network_ip_availability: pick(availabilityView(found), fields) } };
  }
}
