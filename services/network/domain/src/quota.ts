/** What a project may have of each kind. -1 means no limit. */
import { badAttribute, limitBelowUse } from './faults.js';

/** In the order in which the details of a project list them. */
export const RESOURCES = [
  'floatingip',
  'network',
  'port',
  'rbac_policy',
  'router',
  'security_group',
  'security_group_rule',
  'subnet',
  'subnetpool',
  'trunk',
] as const;
export type Resource = (typeof RESOURCES)[number];
export type Amounts = Readonly<Record<Resource, number>>;

export const DEFAULT_LIMITS: Amounts = {
  floatingip: 50,
  network: 100,
  port: 500,
  rbac_policy: 10,
  router: 10,
  security_group: 10,
  security_group_rule: 100,
  subnet: 500,
  subnetpool: -1,
  trunk: -1,
};

const MOST = 2 ** 31 - 1;

export interface Usage {
  readonly limit: number;
  readonly used: number;
}

export const isResource = (name: string): name is Resource => RESOURCES.some((known) => known === name);

/** True when `more` of a resource still fit. */
export const fits = (usage: Usage, more: number): boolean => usage.limit < 0 || usage.used + more <= usage.limit;

/** The limits in force: the project's own before the defaults. */
export function limitsOf(own: Partial<Amounts>, defaults: Amounts): Amounts {
  return { ...defaults, ...own };
}

/** A limit that an administrator wrote, as a number or as text. */
export function checkedLimit(resource: string, value: unknown): number {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number))
    throw badAttribute(resource, `'${String(value)}' is not an integer.`);
  if (number < -1 || number > MOST) throw badAttribute(resource, `'${number}' is not in the range -1 to ${MOST}.`);
  return number;
}

/** Throws for the first limit that is below what is used already. */
export function refuseBelow(limits: Partial<Amounts>, usage: Readonly<Record<Resource, Usage>>): void {
  for (const resource of RESOURCES) {
    const limit = limits[resource] ?? -1;
    const { used } = usage[resource];
    if (limit >= 0 && used > limit) throw limitBelowUse(resource, limit, used);
  }
}
