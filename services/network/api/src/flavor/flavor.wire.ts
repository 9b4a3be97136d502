/** Flavors on the wire. */
import { type Static } from 'typebox';
import { body } from '#libs/wire';
import type { Flavor } from '#services/network/domain';
import { attributes, Flag, just, maybe, nullable, text } from '../values.wire.js';

const writable = {
  name: maybe(text()),
  description: nullable(text(1024)),
  enabled: maybe(Flag),
};

const NewFlavorBody = attributes({
  ...writable,
  service_type: text(),
  project_id: maybe(text()),
  tenant_id: maybe(text()),
});
export type NewFlavorBody = Static<typeof NewFlavorBody>;
const FlavorChangeBody = attributes(writable);
export type FlavorChangeBody = Static<typeof FlavorChangeBody>;
const ProfileOfFlavorBody = attributes({ id: text(64), project_id: maybe(text()), tenant_id: maybe(text()) });
export type ProfileOfFlavorBody = Static<typeof ProfileOfFlavorBody>;

export const createFlavorBody = body(just('flavor', NewFlavorBody));
export const updateFlavorBody = body(just('flavor', FlavorChangeBody));
export const bindProfileBody = body(just('service_profile', ProfileOfFlavorBody));

export const flavorView = (flavor: Flavor): Record<string, unknown> => ({
  id: flavor.id,
  name: flavor.name,
  description: flavor.description,
  service_type: flavor.serviceType,
  enabled: flavor.enabled,
  service_profiles: flavor.profileIds,
});
