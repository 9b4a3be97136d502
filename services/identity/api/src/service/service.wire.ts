import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import type { Service } from '#services/identity/domain';
import { type AnyCall, MaybeText, selfLink, wrapped } from '../resource.js';

const Kind = Type.String({ minLength: 1, maxLength: 255 });
const fields = {
  name: Type.Optional(Type.String({ maxLength: 255 })),
  description: Type.Optional(MaybeText),
  enabled: Type.Optional(Type.Boolean()),
};

const ServiceCreate = wrapped('service', Type.Object({ type: Kind, ...fields }));
const ServiceUpdate = wrapped('service', Type.Object({ type: Type.Optional(Kind), ...fields }));

export type ServiceCreate = Static<typeof ServiceCreate>;
export type ServiceUpdate = Static<typeof ServiceUpdate>;
export const serviceCreate = body(ServiceCreate);
export const serviceUpdate = body(ServiceUpdate);
export const SERVICE_FIELDS = ['type', ...Object.keys(fields)];

export const viewService = (service: Service, call: AnyCall) => ({
  ...service.extra,
  id: service.id,
  type: service.type,
  ...(service.name !== undefined && { name: service.name }),
  ...(service.description !== undefined && { description: service.description }),
  enabled: service.enabled,
  links: selfLink(call, `services/${service.id}`),
});
