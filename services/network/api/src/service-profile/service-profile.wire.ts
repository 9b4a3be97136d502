/** Service profiles on the wire. */
import { type Static } from 'typebox';
import { body } from '#libs/wire';
import type { ServiceProfile } from '#services/network/domain';
import { attributes, Flag, just, maybe, nullable, text } from '../values.wire.js';

const writable = {
  description: nullable(text(1024)),
  driver: nullable(text(1024)),
  metainfo: nullable(text(4096)),
  enabled: maybe(Flag),
};

const NewServiceProfileBody = attributes({ ...writable, project_id: maybe(text()), tenant_id: maybe(text()) });
const ServiceProfileChangeBody = attributes(writable);
export type ServiceProfileBody = Static<typeof ServiceProfileChangeBody>;

export const createServiceProfileBody = body(just('service_profile', NewServiceProfileBody));
export const updateServiceProfileBody = body(just('service_profile', ServiceProfileChangeBody));

export const serviceProfileView = (profile: ServiceProfile): Record<string, unknown> => ({
  id: profile.id,
  description: profile.description,
  driver: profile.driver,
  metainfo: profile.metainfo,
  enabled: profile.enabled,
});
