/** Sharing: what a policy may be about, and what it then allows. */
import { type Failure, fail } from '#libs/kernel';
import { invalidInput } from './faults.js';
import { EVERYONE } from './model.js';

export type RbacAction = 'access_as_shared' | 'access_as_external';

/** The actions that each type of object knows. */
export const RBAC_ACTIONS = {
  address_group: ['access_as_shared'],
  address_scope: ['access_as_shared'],
  network: ['access_as_shared', 'access_as_external'],
  qos_policy: ['access_as_shared'],
  security_group: ['access_as_shared'],
  subnetpool: ['access_as_shared'],
} as const satisfies Record<string, readonly RbacAction[]>;
export type RbacObject = keyof typeof RBAC_ACTIONS;

export interface RbacPolicy {
  readonly id: string;
  readonly projectId: string;
  readonly objectType: RbacObject;
  readonly objectId: string;
  readonly action: RbacAction;
  /** A project, or `*`. */
  readonly target: string;
}

/** The type and action of a policy as a client wrote them; throws for what does not go together. */
export function checkedRbac(
  type: string,
  action: string,
): { readonly objectType: RbacObject; readonly action: RbacAction } {
  const known: Readonly<Record<string, readonly RbacAction[]>> = RBAC_ACTIONS;
  if (!Object.hasOwn(RBAC_ACTIONS, type)) throw invalidInput(`'${type.slice(0, 64)}' is not a valid RBAC object type`);
  const found = known[type]?.find((candidate) => candidate === action);
  if (!found)
    throw fail.invalid(
      `Invalid action '${action.slice(0, 64)}' for object type '${type}'. Valid actions: ${known[type]?.join(', ')}`,
      { type: 'InvalidActionForType' },
    );
  return { objectType: type as RbacObject, action: found };
}

const PROJECT = /^[0-9a-f]{32}$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A project's id, or the sign for everyone. */
export function checkedTarget(text: string): string {
  if (text === EVERYONE || PROJECT.test(text)) return text;
  throw invalidInput(`'${text.slice(0, 64)}' is not a valid target project ID; expected a UUID or '*'`);
}

export const rbacPolicyNotFound = (id: string): Failure =>
  fail.notFound(`RBAC policy of type unknown with ID ${id} not found`, { type: 'RbacPolicyNotFound' });
export const rbacPolicyExists = (): Failure =>
  fail.conflict('An RBAC policy already exists with those values.', { type: 'DuplicateRbacPolicy' });
export const rbacPolicyInUse = (objectId: string, details: string): Failure =>
  fail.conflict(
    `RBAC policy on object ${objectId} cannot be removed because other objects depend on it.\nDetails: ${details}`,
    { type: 'RbacPolicyInUse' },
  );
