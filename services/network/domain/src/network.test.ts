import { describe, expect, it } from 'vitest';
import { checkedMtu, shapeSegment } from './network.js';

const PHYSICAL = [{ name: 'public', mtu: 1500 }];
const shape = (wish: Parameters<typeof shapeSegment>[0]) => shapeSegment(wish, PHYSICAL, 1442);

describe('how a network is carried', () => {
  it('is a tunnel unless a client says otherwise', () => {
    expect(shape({})).toEqual({
      networkType: 'geneve',
      physicalNetwork: null,
      segmentationId: undefined,
      mostMtu: 1442,
    });
    expect(shape({ type: 'geneve', segmentationId: 77 }).segmentationId).toBe(77);
  });

  it('is a physical network, tagged or not', () => {
    expect(shape({ type: 'flat', physicalNetwork: 'public' })).toMatchObject({ networkType: 'flat', mostMtu: 1500 });
    const vlan = shape({ type: 'vlan', physicalNetwork: 'public', segmentationId: 4094 });
    expect(vlan).toMatchObject({ networkType: 'vlan', physicalNetwork: 'public', segmentationId: 4094 });
  });

  it.each([
    ['an unknown type', { type: 'vxlan' }, /not in/],
    ['a tunnel on a physical network', { physicalNetwork: 'public' }, /cannot be specified/],
    ['a tunnel with the key of a router', { segmentationId: 8_388_608 }, /out of the range/],
    ['a flat network of no physical one', { type: 'flat' }, /required/],
    ['an unknown physical network', { type: 'flat', physicalNetwork: 'x' }, /unknown/],
    ['a flat network with a tag', { type: 'flat', physicalNetwork: 'public', segmentationId: 1 }, /cannot be/],
    ['a VLAN without a tag', { type: 'vlan', physicalNetwork: 'public' }, /required/],
    ['a tag that is none', { type: 'vlan', physicalNetwork: 'public', segmentationId: 4095 }, /out of the range/],
    ['the tag zero', { type: 'vlan', physicalNetwork: 'public', segmentationId: 0 }, /out of the range/],
  ])('is refused for %s', (_what, wish, why) => {
    expect(() => shape(wish)).toThrow(why);
  });

  it('bounds the MTU', () => {
    expect(checkedMtu(undefined, 1442)).toBe(1442);
    expect(checkedMtu(0, 1442)).toBe(1442);
    expect(checkedMtu(1300, 1442)).toBe(1300);
    expect(() => checkedMtu(1443, 1442)).toThrow(/between/);
    expect(() => checkedMtu(67, 1442)).toThrow(/between/);
  });
});
