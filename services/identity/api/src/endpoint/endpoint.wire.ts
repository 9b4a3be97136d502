import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import { type Endpoint, LONGEST } from '#services/identity/domain';
import { type AnyCall, Id, selfLink, wrapped } from '../resource.js';

const Interface = Type.Union([Type.Literal('public'), Type.Literal('internal'), Type.Literal('admin')]);
const Url = Type.String({ minLength: 1, maxLength: 2_048, pattern: '^[a-zA-Z][a-zA-Z0-9+.-]*://\\S+$' });
const RegionName = Type.Union([Type.String({ minLength: 1, maxLength: LONGEST.region }), Type.Null()]);

const fields = {
  region_id: Type.Optional(RegionName),
  /** The older way: a region of this name is made where there is none. */
  region: Type.Optional(RegionName),
  enabled: Type.Optional(Type.Boolean()),
};

const EndpointCreate = wrapped('endpoint', Type.Object({ service_id: Id, interface: Interface, url: Url, ...fields }));
const EndpointUpdate = wrapped(
  'endpoint',
  Type.Object({
    service_id: Type.Optional(Id),
    interface: Type.Optional(Interface),
    url: Type.Optional(Url),
    ...fields,
  }),
);

export type EndpointCreate = Static<typeof EndpointCreate>;
export type EndpointUpdate = Static<typeof EndpointUpdate>;
export const endpointCreate = body(EndpointCreate);
export const endpointUpdate = body(EndpointUpdate);
export const ENDPOINT_FIELDS = ['service_id', 'interface', 'url', ...Object.keys(fields)];

export const viewEndpoint = (endpoint: Endpoint, call: AnyCall) => ({
  ...endpoint.extra,
  id: endpoint.id,
  service_id: endpoint.serviceId,
  region_id: endpoint.regionId ?? null,
  region: endpoint.regionId ?? null,
  interface: endpoint.interface,
  url: endpoint.url,
  enabled: endpoint.enabled,
  links: selfLink(call, `endpoints/${endpoint.id}`),
});
