/** What tokens that were delegated may not do: make, see or take away further ways to the same user's rights. */
import { fail } from '#libs/kernel';
import type { Call } from '#libs/platform/http';

/** Throws `forbidden` for tokens of trusts and of application credentials, but for unrestricted ones. */
export function refuseDelegated({ token: { claims } }: Pick<Call<unknown, unknown>, 'token'>): void {
  if (claims.trust) throw fail.forbidden('A token of a trust can not be used for this.');
  if (claims.applicationCredential?.restricted)
    throw fail.forbidden('The application credential is restricted: it can not be used for this.');
}
