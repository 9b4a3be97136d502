import { expect, it } from 'vitest';
import { Seal } from './seal.js';

const seal = new Seal(
  new Map([
    ['k1', 'one secret'],
    ['k2', 'another one'],
  ]),
  'k2',
);

it('opens what it closed, for the same owner', () => {
  const sealed = seal.close('{"access":"a"}', 'row-1');
  expect(sealed.keyId).toBe('k2');
  expect(sealed.bytes.includes('access')).toBe(false);
  expect(seal.open(sealed, 'row-1')).toBe('{"access":"a"}');
  expect(() => seal.open(sealed, 'row-2')).toThrow();
});

it('still opens with an older key, and not with a wrong or missing one', () => {
  const old = new Seal(new Map([['k1', 'one secret']]), 'k1').close('x', 'row');
  expect(seal.open(old, 'row')).toBe('x');
  expect(() => seal.open({ ...old, keyId: 'k2' }, 'row')).toThrow();
  expect(() => seal.open({ ...old, keyId: 'k3' }, 'row')).toThrow();
  expect(() => new Seal(new Map(), 'k1')).toThrow();
});
