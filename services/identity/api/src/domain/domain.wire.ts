import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import { LONGEST, type Project } from '#services/identity/domain';
import { type AnyCall, Immutable, MaybeText, nameOf, selfLink, wrapped } from '../resource.js';

const fields = {
  description: Type.Optional(MaybeText),
  enabled: Type.Optional(Type.Boolean()),
  tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: LONGEST.tag }), { maxItems: 80 })),
  options: Type.Optional(Immutable),
  explicit_domain_id: Type.Optional(Type.String({ pattern: '^[0-9a-f]{32}$' })),
};

const DomainCreate = wrapped('domain', Type.Object({ name: nameOf(LONGEST.domain), ...fields }));
const DomainUpdate = wrapped('domain', Type.Object({ name: Type.Optional(nameOf(LONGEST.domain)), ...fields }));

export type DomainCreate = Static<typeof DomainCreate>;
export type DomainUpdate = Static<typeof DomainUpdate>;
export const domainCreate = body(DomainCreate);
export const domainUpdate = body(DomainUpdate);
export const DOMAIN_FIELDS = ['name', ...Object.keys(fields)];

export const viewDomain = (domain: Project, call: AnyCall) => ({
  ...domain.extra,
  id: domain.id,
  name: domain.name,
  description: domain.description,
  enabled: domain.enabled,
  tags: domain.tags,
  options: domain.options,
  links: selfLink(call, `domains/${domain.id}`),
});
