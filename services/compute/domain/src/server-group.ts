/** Servers that belong together, or apart. The rule is kept by the claim of each server; it never changes. */

export const GROUP_POLICIES = ['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'] as const;
export type GroupPolicy = (typeof GROUP_POLICIES)[number];

export interface ServerGroup {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  readonly name: string;
  readonly policy: GroupPolicy;
  /** How many of the group may share a node, for `anti-affinity`; null: one, and nothing was said. */
  readonly maxPerHost: number | null;
  readonly createdAt: Date;
}
