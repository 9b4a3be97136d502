import { expect, it } from 'vitest';
import { checkExtra, checkTags } from './names.js';

it.each([[['a', 'b']], [[]], [['x'.repeat(255)]]])('takes the tags %j', (tags) => {
  expect(() => checkTags(tags)).not.toThrow();
});

it.each([
  [['a', 'a']],
  [['a,b']],
  [['a/b']],
  [['']],
  [['x'.repeat(256)]],
  [Array.from({ length: 81 }, (_, n) => `${n}`)],
])('refuses the tags %#', (tags) => {
  expect(() => checkTags(tags)).toThrow();
});

it('bounds what clients add of their own', () => {
  expect(() => checkExtra({ email: 'a@b' })).not.toThrow();
  expect(() => checkExtra({ big: 'x'.repeat(20_000) })).toThrow();
});
