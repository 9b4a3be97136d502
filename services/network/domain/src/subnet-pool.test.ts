import { describe, expect, it } from 'vitest';
import {
  checkPoolQuota,
  prefixFrom,
  readLengths,
  readPrefixes,
  refuseShrinking,
  type SubnetPool,
  withoutPrefixes,
  withPrefixes,
} from './subnet-pool.js';

const pool = (more: Partial<SubnetPool> = {}): SubnetPool => ({
  id: 'p',
  projectId: 'p1',
  name: '',
  description: '',
  version: 4,
  prefixes: ['10.0.0.0/16'],
  minLength: 20,
  maxLength: 28,
  defaultLength: 24,
  defaultQuota: null,
  isDefault: false,
  scopeId: null,
  sharedWith: [],
  createdAt: new Date(0),
  updatedAt: new Date(0),
  revision: 1,
  tags: [],
  ...more,
});

describe('a subnet pool', () => {
  it('has prefixes of one version, merged', () => {
    expect(readPrefixes(['10.1.0.0/16', '10.0.0.0/16'])).toEqual({ version: 4, prefixes: ['10.0.0.0/15'] });
    expect(() => readPrefixes([])).toThrow(/Empty/);
    expect(() => readPrefixes(['10.0.0.0/8', '2001:db8::/32'])).toThrow(/mix/);
    expect(() => readPrefixes(['10.0.0.0'])).toThrow(/not a valid/);
    expect(() => readPrefixes(['0.0.0.0/0'])).toThrow(/not supported/);
  });

  it('has lengths in order', () => {
    expect(readLengths(4, {})).toEqual({ minLength: 8, maxLength: 32, defaultLength: 8 });
    expect(readLengths(6, { min: 48, default: 64 })).toEqual({ minLength: 48, maxLength: 128, defaultLength: 64 });
    expect(() => readLengths(4, { min: 24, max: 20 })).toThrow(/min_prefixlen=24, max_prefixlen=20/);
    expect(() => readLengths(4, { max: 33 })).toThrow(/max_prefixlen/);
    expect(() => readLengths(4, { min: 24, default: 20 })).toThrow(/default_prefixlen/);
    expect(() => readLengths(4, { max: 24, default: 28 })).toThrow(/default_prefixlen/);
  });

  it('only grows, unless what goes is named and free', () => {
    expect(withPrefixes(pool(), ['10.1.0.0/16'])).toEqual(['10.0.0.0/15']);
    expect(() => withPrefixes(pool(), ['2001:db8::/32'])).toThrow(/mix/);
    expect(() => refuseShrinking(pool(), ['10.0.0.0/17'])).toThrow(/subset/);
    expect(() => refuseShrinking(pool(), ['10.0.0.0/15'])).not.toThrow();
    expect(withoutPrefixes(pool(), ['10.0.128.0/17'], ['10.0.1.0/24'])).toEqual(['10.0.0.0/17']);
    expect(withoutPrefixes(pool(), ['10.0.64.0/18'], [])).toEqual(['10.0.0.0/18', '10.0.128.0/17']);
    expect(() => withoutPrefixes(pool(), ['10.0.0.0/17'], ['10.0.1.0/24'])).toThrow(/allocated/);
    expect(() => withoutPrefixes(pool(), ['10.9.0.0/24'], [])).toThrow(/in the pool/);
    expect(() => withoutPrefixes(pool(), ['10.0.0.0/16'], [])).toThrow(/Empty/);
  });

  it('gives the lowest free prefix, or the one that is wanted', () => {
    expect(prefixFrom(pool(), {}, ['10.0.0.0/24'])).toBe('10.0.1.0/24');
    expect(prefixFrom(pool(), { length: 28 }, ['10.0.0.0/24'])).toBe('10.0.1.0/28');
    expect(prefixFrom(pool(), { cidr: '10.0.7.0/24' }, [])).toBe('10.0.7.0/24');
    expect(() => prefixFrom(pool(), { cidr: '10.0.7.0/24' }, ['10.0.7.128/25'])).toThrow(/available set/);
    expect(() => prefixFrom(pool(), { cidr: '10.9.7.0/24' }, [])).toThrow(/available set/);
    expect(() => prefixFrom(pool(), { cidr: 'x' }, [])).toThrow(/not a valid/);
    expect(() => prefixFrom(pool(), { cidr: '2001:db8::/64' }, [])).toThrow(/version/);
    expect(() => prefixFrom(pool(), { length: 19 }, [])).toThrow(/minimum/);
    expect(() => prefixFrom(pool(), { length: 29 }, [])).toThrow(/maximum/);
    expect(() => prefixFrom(pool({ prefixes: ['10.0.0.0/24'] }), {}, ['10.0.0.16/28'])).toThrow(/Insufficient/);
  });

  it('counts addresses of IPv4 and networks of IPv6 against a project', () => {
    expect(() => checkPoolQuota(pool({ defaultQuota: 512 }), ['10.0.0.0/24'], '10.0.1.0/24')).not.toThrow();
    expect(() => checkPoolQuota(pool({ defaultQuota: 511 }), ['10.0.0.0/24'], '10.0.1.0/24')).toThrow(/quota/);
    const six = pool({ version: 6, prefixes: ['2001:db8::/32'], defaultQuota: 1 });
    expect(() => checkPoolQuota(six, [], '2001:db8::/64')).not.toThrow();
    expect(() => checkPoolQuota(six, ['2001:db8::/64'], '2001:db8:0:1::/80')).toThrow(/quota/);
  });
});
