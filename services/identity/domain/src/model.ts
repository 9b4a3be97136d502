/**
 * What identity holds. A domain is a project with `isDomain`, as in Keystone: it may carry assignments and be a scope,
 * and the ids of both come from one space. `extra` holds attributes that clients add to a resource of their own accord.
 */
export type Extra = Readonly<Record<string, unknown>>;

export interface Options {
  /** Neither changed nor deleted until this is taken off. */
  readonly immutable?: boolean | undefined;
}

export interface Project {
  readonly id: string;
  readonly name: string;
  /** Absent for a domain. */
  readonly domainId: string | undefined;
  readonly parentId: string | undefined;
  readonly isDomain: boolean;
  readonly enabled: boolean;
  readonly description: string;
  /** Its domain first, its parent last; empty for a domain. */
  readonly ancestors: readonly string[];
  readonly tags: readonly string[];
  readonly options: Options;
  readonly extra: Extra;
}

/** Without the password's hash, which leaves the repository only towards its verification. */
export interface User {
  readonly id: string;
  readonly domainId: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly defaultProjectId: string | undefined;
  readonly options: Options;
  readonly extra: Extra;
}

export interface Group {
  readonly id: string;
  readonly domainId: string;
  readonly name: string;
  readonly description: string;
  readonly extra: Extra;
}

export interface Role {
  readonly id: string;
  readonly name: string;
  /** A role of one domain is only a name for the roles it implies: it never appears in a token itself. */
  readonly domainId: string | undefined;
  readonly description: string | null;
  readonly options: Options;
  readonly extra: Extra;
}

export interface Region {
  readonly id: string;
  readonly description: string;
  readonly parentRegionId: string | undefined;
  readonly extra: Extra;
}

export interface Service {
  readonly id: string;
  readonly type: string;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly enabled: boolean;
  readonly extra: Extra;
}

export const INTERFACES = ['public', 'internal', 'admin'] as const;
export type Interface = (typeof INTERFACES)[number];

export interface Endpoint {
  readonly id: string;
  readonly serviceId: string;
  readonly regionId: string | undefined;
  readonly interface: Interface;
  readonly url: string;
  readonly enabled: boolean;
  readonly extra: Extra;
}

export interface Policy {
  readonly id: string;
  readonly type: string;
  readonly blob: string;
  readonly extra: Extra;
}

/** A secret that a user keeps here, such as a pair of EC2 keys. The blob is stored encrypted. */
export interface Credential {
  readonly id: string;
  readonly userId: string;
  readonly projectId: string | undefined;
  readonly type: string;
  readonly blob: string;
  readonly extra: Extra;
}

export interface ApplicationCredential {
  readonly id: string;
  readonly userId: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string | null;
  readonly roleIds: readonly string[];
  /** May make and delete further credentials of its user. */
  readonly unrestricted: boolean;
  /** `YYYY-MM-DDTHH:MM:SS.ffffff`, UTC. */
  readonly expiresAt: string | undefined;
}

export interface Trust {
  readonly id: string;
  readonly trustorUserId: string;
  readonly trusteeUserId: string;
  readonly projectId: string;
  readonly impersonation: boolean;
  readonly roleIds: readonly string[];
  /** `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
  readonly expiresAt: string | undefined;
  /** Tokens that may still be made by it; without one, any number. */
  readonly remainingUses: number | undefined;
}
