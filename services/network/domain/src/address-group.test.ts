import { describe, expect, it } from 'vitest';
import { checkAdded, checkTaken, MOST_ADDRESSES, readAddresses } from './address-group.js';

const refused = (type: string, text: string, kind = 'invalid') =>
  expect.objectContaining({ kind, type, message: expect.stringContaining(text) });

describe('addresses of a group', () => {
  it('are prefixes in their normal form, each once', () => {
    expect(readAddresses(['10.1.2.3/8', '10.0.0.0/8', '192.0.2.1', 'FD00::1/64', '::1', '0.0.0.0/0'])).toEqual([
      '10.0.0.0/8',
      '192.0.2.1/32',
      'fd00::/64',
      '::1/128',
      '0.0.0.0/0',
    ]);
  });

  it('are refused where they are none', () => {
    for (const bad of [
      '',
      '10.0.0.0/33',
      '10.0.0/8',
      'fd00::/129',
      '10.0.0.0/8 ',
      '$pg_guard',
      '1.2.3.4\n',
      '10.0.0.0/-1',
    ])
      expect(() => readAddresses([bad]), bad).toThrow(refused('HTTPBadRequest', 'is not a valid IP subnet'));
    const many = Array.from({ length: MOST_ADDRESSES + 1 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    expect(() => readAddresses(many)).toThrow(refused('InvalidInput', 'at most'));
    expect(() => checkAdded('g', many.slice(1), ['11.0.0.0/8'])).toThrow(refused('InvalidInput', 'at most'));
  });

  it('are added once, and taken away where they are', () => {
    expect(() => checkAdded('g', ['10.0.0.0/8'], ['11.0.0.0/8'])).not.toThrow();
    expect(() => checkAdded('g', ['10.0.0.0/8'], ['10.0.0.0/8'])).toThrow(
      refused('AddressesAlreadyExist', "['10.0.0.0/8'] already exist in the address group g"),
    );
    expect(() => checkTaken('g', ['10.0.0.0/8'], ['10.0.0.0/8'])).not.toThrow();
    expect(() => checkTaken('g', ['10.0.0.0/8'], ['11.0.0.0/8'])).toThrow(
      refused('AddressesNotFound', "['11.0.0.0/8'] not found", 'notFound'),
    );
  });
});
