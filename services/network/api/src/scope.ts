/** Whose resources a call is about. */
import { fail, isUuid } from '#libs/kernel';
import type { Call } from '#libs/platform/http';
import { ADMIN, type Credentials } from '#libs/platform/policy';
import type { Scope } from '#services/network/data';
import type { Query } from './list.wire.js';

/** A call with a query and, where the row declares one, a checked body. */
export type AnyCall<B = unknown> = Call<B, Query>;

export const isAdmin = (who: Credentials): boolean => ADMIN.test(who, {});

/** What the caller's lists show. An administrator sees every project's. */
export const scopeOf = (who: Credentials): Scope => (isAdmin(who) ? 'all' : { projectId: who.projectId ?? '' });

/** True for a caller to whom something of one of these projects may be known to exist. */
export const mayKnow = (who: Credentials, ...projectIds: readonly string[]): boolean =>
  isAdmin(who) || (who.projectId !== undefined && projectIds.includes(who.projectId));

export const forbidden = (rule: string): Error => fail.forbidden(`(rule:${rule}) is disallowed by policy`);

/** Throws `forbidden` unless the caller satisfies the rule for the target. */
export function demand(call: Pick<AnyCall, 'may'>, rule: string, target?: unknown): void {
  if (!call.may(rule, target)) throw forbidden(rule);
}

interface Owned {
  readonly project_id?: string | undefined;
  readonly tenant_id?: string | undefined;
}

/** The project that a new resource will belong to; another than the caller's needs rights there. */
export function ownerOf(call: AnyCall, rule: string, item: Owned): string {
  const wanted = item.project_id ?? item.tenant_id;
  const own = call.who.projectId;
  if (wanted === undefined || wanted === own) {
    if (own === undefined)
      throw fail.invalid('A project is needed: the token is not scoped to one, and the body names none.');
    return own;
  }
  demand(call, rule, { projectId: wanted });
  return wanted;
}

/** The id in the path; anything that is no id can not be found. */
export function idOf(call: AnyCall, missing: (id: string) => Error, parameter = 'id'): string {
  const id = call.params[parameter] ?? '';
  if (!isUuid(id)) throw missing(id.slice(0, 100));
  return id.toLowerCase();
}

/** The revision that the caller wants to change and no other (`If-Match: revision_number=7`), where it says one. */
export function revisionOf(call: AnyCall): number | undefined {
  const header = call.headers['if-match'];
  if (header === undefined) return undefined;
  const found = /^"?revision_number=(\d{1,15})"?$/.exec(String(header).trim());
  if (!found) {
    throw fail.invalid('Invalid value for If-Match. It must be revision_number=N.', {
      type: 'RevisionNumberConstraintFailed',
    });
  }
  return Number(found[1]);
}

/** The items of a body that holds one resource or several. */
export function itemsOf<T>(
  body: unknown,
  one: string,
  many: string,
): { readonly items: readonly T[]; readonly bulk: boolean } {
  const given = body as Record<string, unknown>;
  const list = given[many] as readonly T[] | undefined;
  return list ? { items: list, bulk: true } : { items: [given[one] as T], bulk: false };
}
