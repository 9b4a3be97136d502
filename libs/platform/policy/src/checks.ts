/**
 * Policy as data: a check is a predicate with the text an operator reads. Rules carry upstream's names, so that
 * documentation and audits of OpenStack policies apply here unchanged.
 */
import type { Credentials, Target } from './credentials.js';

export interface Check {
  readonly text: string;
  test(who: Credentials, target: Target): boolean;
}

export interface Rule {
  /** Upstream's rule name, such as `os_compute_api:servers:create`. */
  readonly name: string;
  readonly check: Check;
}

const check = (text: string, test: Check['test']): Check => ({ text, test });

export const role = (name: string): Check => check(`role:${name}`, (who) => who.roles.has(name));
export const sameProject = check(
  'project_id:%(project_id)s',
  (who, target) => who.projectId !== undefined && who.projectId === target.projectId,
);
export const sameUser = check('user_id:%(user_id)s', (who, target) => who.userId === target.userId);
export const sameDomain = check(
  'domain_id:%(domain_id)s',
  (who, target) => who.domainId !== undefined && who.domainId === target.domainId,
);
export const everyone = check('@', () => true);
export const nobody = check('!', () => false);
export const all = (...checks: readonly Check[]): Check =>
  check(`(${checks.map((c) => c.text).join(' and ')})`, (who, target) => checks.every((c) => c.test(who, target)));
export const any = (...checks: readonly Check[]): Check =>
  check(`(${checks.map((c) => c.text).join(' or ')})`, (who, target) => checks.some((c) => c.test(who, target)));

/** The usual checks by upstream's names. The administrator may do whatever a rule lets anyone do. */
export const ADMIN = role('admin');
export const PROJECT_READER = any(ADMIN, all(role('reader'), sameProject));
export const PROJECT_MEMBER = any(ADMIN, all(role('member'), sameProject));
export const PROJECT_MANAGER = any(ADMIN, all(role('manager'), sameProject));

export const rule = (name: string, how: Check): Rule => ({ name, check: how });
