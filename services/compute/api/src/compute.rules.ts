/** Policy rules by upstream's names, as three kinds cover nearly all of them. */
import type { Call } from '#libs/platform/http';
import { ADMIN, PROJECT_MEMBER, PROJECT_READER, type Rule, rule } from '#libs/platform/policy';

const PREFIX = 'os_compute_api:';
export const reader = (name: string): Rule => rule(PREFIX + name, PROJECT_READER);
export const member = (name: string): Rule => rule(PREFIX + name, PROJECT_MEMBER);
export const admin = (name: string): Rule => rule(PREFIX + name, ADMIN);

const CONTEXT_IS_ADMIN = rule('context_is_admin', ADMIN);
export const commonRules: readonly Rule[] = [CONTEXT_IS_ADMIN];

export const isAdmin = (call: Pick<Call<unknown, unknown>, 'may'>): boolean => call.may(CONTEXT_IS_ADMIN.name);
