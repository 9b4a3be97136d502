/** How long a token lives, and the chain of audit ids through tokens that were made from tokens. */

/** Of the token that another one is made from. */
export interface Parent {
  readonly expiresAt: number;
  readonly auditIds: readonly string[];
  readonly methods: readonly string[];
}

/** Milliseconds. A token from a token lives no longer than its parent, a delegated one no longer than the delegation. */
export function expiryOf(nowMs: number, lifetimeMs: number, ...bounds: readonly (number | undefined)[]): number {
  return Math.min(nowMs + lifetimeMs, ...bounds.filter((bound) => bound !== undefined));
}

/** [own id], or [own id, id of the first token of the chain]. */
export const auditChain = (own: string, parent: Parent | undefined): readonly string[] => {
  const first = parent?.auditIds.at(-1);
  return first === undefined ? [own] : [own, first];
};

/** Each method once, those of the parent first. */
export const methodsOf = (methods: readonly string[], parent: Parent | undefined): readonly string[] => [
  ...new Set([...(parent?.methods ?? []), ...methods]),
];
