import { expect, it } from 'vitest';
import { readRange } from './byte-range.js';

it.each([
  [undefined, undefined],
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=5-', { start: 5, end: 99 }],
  ['bytes=90-200', { start: 90, end: 99 }],
  ['bytes=-10', { start: 90, end: 99 }],
  ['bytes=-1000', { start: 0, end: 99 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=9-3', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=1-2,4-5', undefined],
  ['lines=1-2', undefined],
  ['bytes=-', undefined],
])('reads %s', (header, expected) => {
  expect(readRange(header, 100)).toEqual(expected);
});
