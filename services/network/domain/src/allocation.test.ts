import { describe, expect, it } from 'vitest';
import { claimsFor, type IpWish } from './allocation.js';
import type { FixedIp, Subnet } from './model.js';
import { shapeSubnet } from './subnet.js';

const born = { createdAt: new Date(0), updatedAt: new Date(0), revision: 1, tags: [] };
const base = { networkId: 'n', projectId: 'p', name: '', description: '', ...born };
const a: Subnet = { id: 'a', ...base, ...shapeSubnet({ version: 4, cidr: '10.0.0.0/24' }) };
const b: Subnet = { id: 'b', ...base, ...shapeSubnet({ version: 4, cidr: '10.0.1.0/24' }) };
const s: Subnet = {
  id: 's',
  ...base,
  ...shapeSubnet({ version: 6, cidr: '2001:db8::/64', addressMode: 'slaac', raMode: 'slaac' }),
};
const d: Subnet = { id: 'd', ...base, ...shapeSubnet({ version: 6, cidr: '2001:db8:1::/64' }) };
const mac = 'fa:16:3e:00:00:01';
const auto = { kind: 'given', subnetId: 's', address: '2001:db8::f816:3eff:fe00:1' };

const claims = (subnets: Subnet[], wishes?: IpWish[], current: FixedIp[] = []) =>
  claimsFor({ networkId: 'n', deviceOwner: 'compute:nova', subnets, mac, wishes, current });

describe('the addresses of a port', () => {
  it('are one of each version and one in each self-addressed subnet when nobody says', () => {
    expect(claims([a, s, b, d])).toEqual([
      { kind: 'any', subnetIds: ['a', 'b'] },
      { kind: 'any', subnetIds: ['d'] },
      auto,
    ]);
    expect(claims([])).toEqual([]);
  });

  it('are none when none are wanted', () => {
    expect(claims([a, s], [])).toEqual([]);
  });

  it('are those that the client names, and those that its guest will take', () => {
    expect(claims([a, s], [{ address: '10.0.0.7' }])).toEqual([
      { kind: 'given', subnetId: 'a', address: '10.0.0.7' },
      auto,
    ]);
    expect(claims([a, b], [{ subnetId: 'b' }])).toEqual([{ kind: 'any', subnetIds: ['b'] }]);
    expect(claims([a], [{ subnetId: 'a', address: '10.0.0.1' }])).toEqual([
      { kind: 'given', subnetId: 'a', address: '10.0.0.1' },
    ]);
    expect(claims([s], [{ subnetId: 's' }])).toEqual([auto]);
  });

  it('are kept by an update that names only the subnet', () => {
    const current = [{ subnetId: 'a', address: '10.0.0.9' }];
    expect(claims([a, b], [{ subnetId: 'a' }, { subnetId: 'a' }], current)).toEqual([
      { kind: 'given', subnetId: 'a', address: '10.0.0.9' },
      { kind: 'any', subnetIds: ['a'] },
    ]);
    expect(claims([a], [{ address: '10.0.0.9' }, { subnetId: 'a' }], current)).toEqual([
      { kind: 'given', subnetId: 'a', address: '10.0.0.9' },
      { kind: 'any', subnetIds: ['a'] },
    ]);
  });

  it('come from subnets for such devices first, and never from those for others', () => {
    const mine: Subnet = { ...b, id: 'mine', serviceTypes: ['network:routed', 'compute:nova'] };
    const theirs: Subnet = { ...b, id: 'theirs', serviceTypes: ['network:floatingip'] };
    expect(claims([theirs, a, mine])).toEqual([{ kind: 'any', subnetIds: ['mine', 'a'] }]);
    expect(claims([theirs], [])).toEqual([]);
    const none = expect.objectContaining({ kind: 'conflict', type: 'IpAddressGenerationFailureNoMatchingSubnet' });
    expect(() => claims([theirs])).toThrow(none);
    expect(() => claims([theirs, a], [{ subnetId: 'theirs' }])).toThrow(/invalid subnet theirs/);
    const held = [{ subnetId: 'theirs', address: '10.0.1.9' }];
    expect(claims([theirs, a], [{ subnetId: 'theirs' }], held)).toEqual([{ kind: 'given', ...held[0]! }]);
  });

  it('are refused by name', () => {
    const type = (name: string) => expect.objectContaining({ kind: 'invalid', type: name });
    expect(() => claims([a], [{ address: '10.9.0.1' }])).toThrow(type('InvalidIpForNetwork'));
    expect(() => claims([a, b], [{ subnetId: 'a', address: '10.0.1.1' }])).toThrow(type('InvalidIpForSubnet'));
    expect(() => claims([a], [{ address: '10.0.0.255' }])).toThrow(type('InvalidIpForNetwork'));
    expect(() => claims([a], [{ subnetId: 'b' }])).toThrow(type('InvalidInput'));
    expect(() => claims([a], [{}])).toThrow(type('InvalidInput'));
    expect(() => claims([a], [{ address: 'x' }])).toThrow(type('HTTPBadRequest'));
    expect(() => claims([s], [{ address: '2001:db8::5' }])).toThrow(type('AllocationOnAutoAddressSubnet'));
    expect(() => claims([a], [{ address: '10.0.0.5' }, { address: '10.0.0.5' }])).toThrow(type('InvalidInput'));
  });
});
