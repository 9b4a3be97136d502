import { describe, expect, it } from 'vitest';
import {
  checkMakesRouters,
  checkProfile,
  checkServiceType,
  type Flavor,
  ROUTER_DRIVER,
  type ServiceProfile,
} from './flavor.js';

const FLAVOR: Flavor = {
  id: 'f',
  name: 'usual',
  description: '',
  serviceType: 'L3_ROUTER_NAT',
  enabled: true,
  profileIds: ['p'],
};
const PROFILE: ServiceProfile = { id: 'p', description: '', driver: ROUTER_DRIVER, metainfo: '', enabled: true };
const typeOf = (work: () => void): unknown => {
  try {
    work();
  } catch (error) {
    return (error as { type?: string }).type;
  }
  return 'fine';
};

describe('a router’s flavor', () => {
  it.each([
    ['a flavor that is on', FLAVOR, PROFILE, 'fine'],
    ['a flavor that is off', { ...FLAVOR, enabled: false }, PROFILE, 'FlavorDisabled'],
    ['a profile that is off', FLAVOR, { ...PROFILE, enabled: false }, 'ServiceProfileDisabled'],
    ['no profile', FLAVOR, undefined, 'FlavorServiceProfileBindingNotFound'],
    ['a profile without a driver', FLAVOR, { ...PROFILE, driver: '' }, 'ServiceProfileDriverNotFound'],
  ])('%s', (_, flavor, profile, expected) => expect(typeOf(() => checkMakesRouters(flavor, profile))).toBe(expected));
});

it('is of routers alone', () => {
  expect(typeOf(() => checkServiceType('L3_ROUTER_NAT'))).toBe('fine');
  expect(typeOf(() => checkServiceType('LOADBALANCER'))).toBe('InvalidFlavorServiceType');
});

it.each([
  [{ driver: ROUTER_DRIVER, metainfo: '' }, 'fine'],
  [{ driver: '', metainfo: '{}' }, 'fine'],
  [{ driver: '', metainfo: '' }, 'ServiceProfileEmpty'],
  [{ driver: 'elsewhere', metainfo: '{}' }, 'ServiceProfileDriverNotFound'],
])('a profile of %o', (profile, expected) => expect(typeOf(() => checkProfile(profile))).toBe(expected));
