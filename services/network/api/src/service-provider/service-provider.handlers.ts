import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { listBody, readList } from '../list.wire.js';
import type { AnyCall } from '../scope.js';
import { sift } from '../sift.js';

const NAMES = ['service_type', 'name', 'default'];
const FIELDS = { filters: NAMES, sorts: NAMES };

/** Routers are made by OVN and by nothing else. */
const PROVIDERS = [{ id: 'ovn', service_type: 'L3_ROUTER_NAT', name: 'ovn', default: true }];
type Provider = (typeof PROVIDERS)[number];

const providerView = ({ id: _, ...shown }: Provider): Record<string, unknown> => shown;

@Injectable()
export class ServiceProviderHandlers {
  list(call: AnyCall): Reply {
    const request = { ...readList(call.query, FIELDS), limit: undefined, marker: undefined };
    const page = sift(PROVIDERS, providerView, request);
    return { body: listBody('service_providers', page, request, call, providerView) };
  }
}
