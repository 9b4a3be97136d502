import { expect, it } from 'vitest';
import { auditChain, expiryOf, methodsOf } from './token-times.js';

const parent = { expiresAt: 500, auditIds: ['second', 'first'], methods: ['password', 'token'] };

it('never outlives its parent, its credential or its lifetime', () => {
  expect(expiryOf(0, 1_000)).toBe(1_000);
  expect(expiryOf(0, 1_000, parent.expiresAt, undefined)).toBe(500);
  expect(expiryOf(0, 1_000, 700, 300)).toBe(300);
});

it('keeps the first token of the chain', () => {
  expect(auditChain('own', undefined)).toEqual(['own']);
  expect(auditChain('own', parent)).toEqual(['own', 'first']);
  expect(auditChain('own', { ...parent, auditIds: ['only'] })).toEqual(['own', 'only']);
});

it('names each method once', () => {
  expect(methodsOf(['token'], parent)).toEqual(['password', 'token']);
  expect(methodsOf(['password'], undefined)).toEqual(['password']);
});
