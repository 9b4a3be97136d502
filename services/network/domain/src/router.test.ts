import { describe, expect, it } from 'vitest';
import {
  checkExtraRoutes,
  leadsThrough,
  MOST_EXTRA_ROUTES,
  type RouterLeg,
  readExtraRoutes,
  refuseForeignRa,
  refuseOverlap,
  refuseUnfitPort,
  withoutRoutes,
  withRoutes,
} from './router.js';

const leg = (subnetId: string, cidr: string, address: string): RouterLeg => ({ portId: 'p', subnetId, cidr, address });
const legs = [leg('a', '10.0.0.0/24', '10.0.0.1'), leg('b', 'fd00::/64', 'fd00::1')];
const route = (destination: string, nexthop: string) => ({ destination, nexthop });
const typeOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return (error as { type?: string }).type;
  }
  return undefined;
};

describe('legs of a router', () => {
  it.each([
    ['the same subnet', { id: 'a', cidr: '10.0.0.0/24' }],
    ['a smaller one within', { id: 'c', cidr: '10.0.0.128/25' }],
    ['a larger one around', { id: 'c', cidr: '10.0.0.0/8' }],
    ['one of IPv6', { id: 'c', cidr: 'fd00::/48' }],
  ])('never overlap: %s', (_, subnet) => {
    expect(typeOf(() => refuseOverlap(legs, [subnet]))).toBe('BadRequest');
  });

  it('may lie side by side', () => {
    expect(typeOf(() => refuseOverlap(legs, [{ id: 'c', cidr: '10.0.1.0/24' }]))).toBeUndefined();
  });

  it('are not where hosts listen to another router', () => {
    const subnet = { id: 's', version: 6, addressMode: 'slaac', raMode: null } as const;
    expect(typeOf(() => refuseForeignRa(subnet))).toBe('BadRequest');
    expect(typeOf(() => refuseForeignRa({ ...subnet, raMode: 'slaac' }))).toBeUndefined();
    expect(typeOf(() => refuseForeignRa({ ...subnet, addressMode: null }))).toBeUndefined();
  });

  it('have one IPv4 address, and some address', () => {
    expect(typeOf(() => refuseUnfitPort([]))).toBe('BadRequest');
    expect(typeOf(() => refuseUnfitPort([{ version: 4 }, { version: 4 }]))).toBe('BadRequest');
    expect(typeOf(() => refuseUnfitPort([{ version: 4 }, { version: 6 }, { version: 6 }]))).toBeUndefined();
  });
});

describe('extra routes', () => {
  it('are read in canonical form', () => {
    expect(readExtraRoutes([route('10.1.2.3/16', '10.0.0.9'), route('FD01::1/64', 'FD00::0009')])).toEqual([
      route('10.1.0.0/16', '10.0.0.9'),
      route('fd01::/64', 'fd00::9'),
    ]);
  });

  it.each([
    ['no prefix', [route('10.1.0.0', '10.0.0.9')], 'HTTPBadRequest'],
    ['no address', [route('10.1.0.0/16', 'there')], 'HTTPBadRequest'],
    ['two versions', [route('10.1.0.0/16', 'fd00::9')], 'InvalidRoutes'],
    ['one twice', [route('10.1.0.0/16', '10.0.0.9'), route('10.1.9.9/16', '10.0.0.9')], 'HTTPBadRequest'],
  ])('are refused: %s', (_, routes, type) => {
    expect(typeOf(() => readExtraRoutes(routes))).toBe(type);
  });

  it('lead to others in a subnet of the router', () => {
    const check = (nexthop: string) => typeOf(() => checkExtraRoutes('r', [route('10.9.0.0/16', nexthop)], legs));
    expect(check('10.0.0.9')).toBeUndefined();
    expect(check('10.0.0.1')).toBe('InvalidRoutes');
    expect(check('10.0.1.9')).toBe('InvalidRoutes');
    const many = Array.from({ length: MOST_EXTRA_ROUTES + 1 }, (_, i) => route(`10.9.${i}.0/24`, '10.0.0.9'));
    expect(typeOf(() => checkExtraRoutes('r', many, legs))).toBe('RoutesExhausted');
  });

  it('are added and removed one by one', () => {
    const [a, b] = [route('10.1.0.0/16', '10.0.0.9'), route('10.2.0.0/16', '10.0.0.9')];
    expect(withRoutes([a], [a, b])).toEqual([a, b]);
    expect(withoutRoutes([a, b], [a, route('10.3.0.0/16', '10.0.0.9')])).toEqual([b]);
  });

  it('hold the router in the subnet that they lead through', () => {
    expect(leadsThrough([route('10.9.0.0/16', '10.0.0.9')], '10.0.0.0/24')).toBe(true);
    expect(leadsThrough([route('10.9.0.0/16', '10.0.1.9')], '10.0.0.0/24')).toBe(false);
  });
});
