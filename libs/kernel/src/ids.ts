import { randomBytes, randomUUID } from 'node:crypto';

/** Where ids come from. Injected, so that domain code and flows take ids as inputs. */
export interface Ids {
  /** A UUID with dashes, as compute, image, network and placement use. */
  uuid(): string;
  /** 32 hex digits, as identity uses. */
  hex(): string;
}

export const randomIds: Ids = {
  uuid: () => randomUUID(),
  hex: () => randomBytes(16).toString('hex'),
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const UUID_LIKE = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** True for a UUID with dashes; guards every query by an id column of type uuid. */
export const isUuid = (text: string): boolean => UUID.test(text);
/** True for a UUID with or without dashes. */
export const isUuidLike = (text: string): boolean => UUID_LIKE.test(text);

const REQUEST_ID = /^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** True for `req-<uuid>`, the only shape of request id that is taken from outside. */
export const isRequestId = (text: string): boolean => REQUEST_ID.test(text);
export const newRequestId = (): string => `req-${randomUUID()}`;
