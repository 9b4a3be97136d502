/** Who may do what, under upstream's rule names. */
import { ADMIN, any, type Check, everyone, type Rule, rule, sameProject, sameUser } from '#libs/platform/policy';

const SYSTEM_READER: Check = {
  text: '(role:reader and system_scope:all)',
  test: (who) => who.systemScope && who.roles.has('reader'),
};

/** The domain asked for is the scope's own, or that of the scope's project. */
const OWN_DOMAIN: Check = {
  text: '(domain_id:%(target.domain.id)s or project_domain_id:%(target.domain.id)s)',
  test: (who, target) =>
    target.domainId !== undefined &&
    target.domainId !== null &&
    (who.domainId === target.domainId || who.projectDomainId === target.domainId),
};

const READS = any(ADMIN, SYSTEM_READER);
const READS_OR_OWNER = any(ADMIN, SYSTEM_READER, sameUser);

const identity = (name: string, check: Check): Rule => rule(`identity:${name}`, check);

/** Administrators alone. */
export const admin = (name: string): Rule => identity(name, ADMIN);
/** Administrators, and readers of the system. */
export const reads = (name: string): Rule => identity(name, READS);
/** Those, and the user whom it concerns. */
export const readsOrOwner = (name: string): Rule => identity(name, READS_OR_OWNER);
/** Administrators and the user whom it concerns. */
export const adminOrOwner = (name: string): Rule => identity(name, any(ADMIN, sameUser));
/** The user whom it concerns, and nobody for him. */
export const owner = (name: string): Rule => identity(name, sameUser);
/** Readers of everything, and tokens of the project. */
export const readsOrProject = (name: string): Rule => identity(name, any(READS, sameProject));
export const readsOrDomain = (name: string): Rule => identity(name, any(READS, OWN_DOMAIN));
/** Everybody with a token. */
export const anyone = (name: string): Rule => identity(name, everyone);
