import { expect, it } from 'vitest';
import { isBase64, isoNaive, timeOf, truthOf, whole } from './values.wire.js';

it.each([
  ['2026-10-26T05:33:58.752599', '2026-10-26T05:33:58.752Z'],
  ['2026-10-26T05:33:58Z', '2026-10-26T05:33:58.000Z'],
  ['2026-10-26T05:33:58+02:00', '2026-10-26T03:33:58.000Z'],
  ['2026-10-26T05:33:58 0200', '2026-10-26T03:33:58.000Z'],
  ['2026-10-26T05:33:58-0130', '2026-10-26T07:03:58.000Z'],
  ['2026-10-26 05:33', '2026-10-26T05:33:00.000Z'],
  ['2026-10-26', '2026-10-26T00:00:00.000Z'],
])('reads the time %s', (text, iso) => expect(timeOf(text, 't').toISOString()).toBe(iso));

it.each(['2011/01/01', '', 'yesterday', '2026-13-01', '2026-10-26T25:00', '2026-10-26T05:33:58+2', '1e9'])(
  'refuses %s as a time',
  (text) => expect(() => timeOf(text, 't')).toThrow('Invalid input'),
);

it('prints times without a zone, to the microsecond', () => {
  expect(isoNaive(new Date('2026-10-26T05:33:58.752Z'))).toBe('2026-10-26T05:33:58.752000');
});

it('knows words of truth from others', () => {
  expect(['1', 'true', 'TRUE', 'tRuE', 'yes', 'on'].map(truthOf)).toEqual(Array(6).fill(true));
  expect(['0', 'False', 'no', 'off'].map(truthOf)).toEqual(Array(4).fill(false));
  expect(['', '2', 'maybe', 'None'].map(truthOf)).toEqual(Array(4).fill(undefined));
});

it('tells base64', () => {
  for (const text of ['', 'QQ==', 'QUI=', 'QUJD', 'QUJD\nQUJD\n']) expect(isBase64(text)).toBe(true);
  for (const text of ['Q', 'QQ=', 'QQ==QQ', 'a b!', '%%%%', 'QUJD=']) expect(isBase64(text)).toBe(false);
});

it('reads whole numbers within bounds', () => {
  expect([whole('12', 'x', 0), whole(3, 'x', 0, 3)]).toEqual([12, 3]);
  for (const value of ['-1', '99999999999999999999', 4])
    expect(() => whole(value, 'x', 0, 3)).toThrow('between 0 and 3');
});
