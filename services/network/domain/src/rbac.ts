/** Sharing: what a policy may be about, and what it then allows. */
import { fail } from '#libs/kernel';
import { invalidInput } from './faults.js';

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
  if (!Object.hasOwn(RBAC_ACTIONS, type)) throw invalidInput(`'${type}' is no type of object that can be shared.`);
  const found = known[type]?.find((candidate) => candidate === action);
  if (!found)
    throw fail.invalid(
      `Invalid action '${action}' for object type '${type}'. Valid actions: ${known[type]?.join(', ')}`,
      { type: 'InvalidRbacAction' },
    );
  return { objectType: type as RbacObject, action: found };
}
