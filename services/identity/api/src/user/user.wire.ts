import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import { LONGEST, type User } from '#services/identity/domain';
import { type AnyCall, MaybeId, nameOf, selfLink, wrapped } from '../resource.js';

const Password = Type.String({ maxLength: 4_096 });

const fields = {
  enabled: Type.Optional(Type.Boolean()),
  default_project_id: Type.Optional(MaybeId),
  domain_id: Type.Optional(MaybeId),
  password: Type.Optional(Type.Union([Password, Type.Null()])),
  /** None is offered; what can not be kept must not be promised. */
  options: Type.Optional(Type.Object({}, { additionalProperties: false })),
};

const UserCreate = wrapped('user', Type.Object({ name: nameOf(LONGEST.user), ...fields }));
const UserUpdate = wrapped('user', Type.Object({ name: Type.Optional(nameOf(LONGEST.user)), ...fields }));
const UserPassword = wrapped(
  'user',
  Type.Object({ password: Type.String({ minLength: 1, maxLength: 4_096 }), original_password: Password }),
);

export type UserCreate = Static<typeof UserCreate>;
export type UserUpdate = Static<typeof UserUpdate>;
export type UserPassword = Static<typeof UserPassword>;
export const userCreate = body(UserCreate);
export const userUpdate = body(UserUpdate);
export const userPassword = body(UserPassword);

/** Fields of the body that are ours, and those that may never become attributes that are shown. */
export const USER_FIELDS = ['name', 'original_password', 'password_expires_at', ...Object.keys(fields)];

export const viewUser = (user: User, call: AnyCall) => ({
  ...user.extra,
  id: user.id,
  name: user.name,
  domain_id: user.domainId,
  enabled: user.enabled,
  ...(user.defaultProjectId !== undefined && { default_project_id: user.defaultProjectId }),
  password_expires_at: null,
  options: user.options,
  links: selfLink(call, `users/${user.id}`),
});
