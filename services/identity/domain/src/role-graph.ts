/** Which role implies which: whoever holds one holds all that follow from it. Immutable; made anew after a change. */
import type { Role } from './model.js';

export interface Implication {
  readonly priorId: string;
  readonly impliedId: string;
}

export class RoleGraph {
  readonly #roles: ReadonlyMap<string, Role>;
  readonly #implied = new Map<string, string[]>();

  constructor(
    roles: readonly Role[],
    readonly implications: readonly Implication[],
  ) {
    this.#roles = new Map(roles.map((role) => [role.id, role]));
    for (const { priorId, impliedId } of implications)
      this.#implied.set(priorId, [...(this.#implied.get(priorId) ?? []), impliedId]);
  }

  get roles(): readonly Role[] {
    return [...this.#roles.values()];
  }

  role(id: string): Role | undefined {
    return this.#roles.get(id);
  }

  /** The roles that a role implies directly. */
  impliedBy(id: string): readonly Role[] {
    return this.#known(this.#implied.get(id) ?? []);
  }

  /** All ids that follow from some, they themselves included. Unknown ids are left out. Ends on circles. */
  closure(ids: Iterable<string>): ReadonlySet<string> {
    const held = new Set<string>();
    const open = [...ids];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (held.has(id) || !this.#roles.has(id)) continue;
      held.add(id);
      open.push(...(this.#implied.get(id) ?? []));
    }
    return held;
  }

  /**
   * What a token carries for some assigned roles: everything implied, roles of a domain left out. A role of a domain may
   * bear any name, `admin` included, and must never be taken for the global role of that name.
   */
  inToken(ids: Iterable<string>): readonly Role[] {
    return this.#known(this.closure(ids))
      .filter((role) => role.domainId === undefined)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** True when `impliedId` leads back to `priorId`, so that the implication would close a circle. */
  wouldCircle({ priorId, impliedId }: Implication): boolean {
    return this.closure([impliedId]).has(priorId);
  }

  #known(ids: Iterable<string>): Role[] {
    return [...ids].flatMap((id) => this.#roles.get(id) ?? []);
  }
}
