import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { zoneStates } from '#services/network/domain';
import { listBody, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import type { AnyCall } from '../scope.js';
import { sift } from '../sift.js';

const NAMES = ['name', 'resource', 'state'];
const FIELDS = { filters: NAMES, sorts: NAMES };
/** What can ask for a zone. */
const RESOURCES = ['network', 'router'] as const;

interface Zone {
  readonly id: string;
  readonly name: string;
  readonly resource: string;
  readonly state: 'available' | 'unavailable';
}

const zoneView = ({ name, resource, state }: Zone): Record<string, unknown> => ({ name, resource, state });

@Injectable()
export class AvailabilityZoneHandlers {
  constructor(private readonly parts: NetworkParts) {}

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, FIELDS);
    const { agents, db } = this.parts.books;
    const states = zoneStates(await agents.list(db), this.parts.chassis());
    const zones = states.flatMap(({ name, available }) =>
      RESOURCES.map(
        (resource): Zone => ({
          id: `${name}/${resource}`,
          name,
          resource,
          state: available ? 'available' : 'unavailable',
        }),
      ),
    );
    // A zone has no id that a page could begin after.
    const whole = { ...request, limit: undefined, marker: undefined };
    return { body: listBody('availability_zones', sift(zones, zoneView, whole), whole, call, zoneView) };
  }
}
