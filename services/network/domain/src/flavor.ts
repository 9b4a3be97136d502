/**
 * Flavors: names under which an operator offers ways to make a router. The first profile of a flavor names the driver,
 * and OVN's is the only one there is.
 */
import { type Failure, fail } from '#libs/kernel';

export const ROUTER_SERVICE = 'L3_ROUTER_NAT';
/** What profiles call the driver of OVN's routers. */
export const ROUTER_DRIVER = 'neutron.services.ovn_l3.service_providers.ovn.OvnDriver';

export interface Flavor {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly serviceType: string;
  readonly enabled: boolean;
  readonly profileIds: readonly string[];
}

export interface ServiceProfile {
  readonly id: string;
  readonly description: string;
  /** Empty where only `metainfo` says anything. */
  readonly driver: string;
  readonly metainfo: string;
  readonly enabled: boolean;
}

export const flavorNotFound = (id: string): Failure =>
  fail.notFound(`Flavor ${id} could not be found.`, { type: 'FlavorNotFound' });
export const flavorInUse = (id: string): Failure =>
  fail.conflict(`Flavor ${id} is used by some service instance.`, { type: 'FlavorInUse' });
export const profileNotFound = (id: string): Failure =>
  fail.notFound(`Service Profile ${id} could not be found.`, { type: 'ServiceProfileNotFound' });
export const profileInUse = (id: string): Failure =>
  fail.conflict(`Service Profile ${id} is used by some service instance.`, { type: 'ServiceProfileInUse' });
export const profileBound = (profile: string, flavor: string): Failure =>
  fail.conflict(`Service Profile ${profile} is already associated with flavor ${flavor}.`, {
    type: 'FlavorServiceProfileBindingExists',
  });
export const profileNotBound = (profile: string, flavor: string): Failure =>
  fail.notFound(`Service Profile ${profile} is not associated with flavor ${flavor}.`, {
    type: 'FlavorServiceProfileBindingNotFound',
  });
const driverNotFound = (driver: string): Failure =>
  fail.notFound(`Service Profile driver ${driver} could not be found.`, { type: 'ServiceProfileDriverNotFound' });

/** Throws unless the type of service is one that comes in flavors. */
export function checkServiceType(type: string): void {
  if (type !== ROUTER_SERVICE)
    throw fail.invalid(`Invalid service type ${type.slice(0, 64)}.`, { type: 'InvalidFlavorServiceType' });
}

/** Throws where a profile says nothing, or names a driver that is not here. */
export function checkProfile({ driver, metainfo }: Pick<ServiceProfile, 'driver' | 'metainfo'>): void {
  if (driver === '' && metainfo === '')
    throw fail.invalid('Service Profile needs either a driver or metainfo.', { type: 'ServiceProfileEmpty' });
  if (driver !== '' && driver !== ROUTER_DRIVER) throw driverNotFound(driver);
}

/** Throws where no router can be made of the flavor, given its first profile. */
export function checkMakesRouters(flavor: Flavor, first: ServiceProfile | undefined): void {
  if (!flavor.enabled) throw fail.unavailable('Flavor is not enabled.', { type: 'FlavorDisabled' });
  if (!first) throw profileNotBound('', flavor.id);
  if (!first.enabled) throw fail.unavailable('Service Profile is not enabled.', { type: 'ServiceProfileDisabled' });
  if (first.driver !== ROUTER_DRIVER) throw driverNotFound(first.driver);
}
