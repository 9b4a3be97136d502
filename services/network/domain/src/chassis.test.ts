import { describe, expect, it } from 'vitest';
import { type Chassis, cmsOptions, gatewaysTo, mappedNetworks } from './chassis.js';

const chassis = (name: string, physicalNetworks: string[], isGateway: boolean): Chassis => ({
  id: name,
  name,
  hostname: name,
  physicalNetworks,
  isGateway,
  zones: [],
  heardAt: null,
  bridgeMappings: '',
  caughtUp: false,
});

describe('what a node says of itself', () => {
  it('is read leniently', () => {
    expect(mappedNetworks('public:br-ex, other:br-o,')).toEqual(['public', 'other']);
    expect(mappedNetworks('')).toEqual([]);
    expect(cmsOptions('enable-chassis-as-gw,availability-zones=az1:az2')).toEqual({
      isGateway: true,
      zones: ['az1', 'az2'],
    });
    expect(cmsOptions('')).toEqual({ isGateway: false, zones: [] });
  });

  it('decides who is a gateway', () => {
    const all = [chassis('a', ['public'], false), chassis('b', ['public'], true), chassis('c', ['other'], true)];
    expect(gatewaysTo(all, 'public')).toEqual(['b']);
    expect(gatewaysTo([all[0]!, all[2]!], 'public')).toEqual(['a']);
    expect(gatewaysTo(all, 'none')).toEqual([]);
  });
});
