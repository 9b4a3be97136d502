import { expect, it } from 'vitest';
import { judge } from './knock.js';

const CLOUD = 'https://cloud.example:8443';
const TOKEN = 'dGhpcyBpcyBhIHRva2VuIG9mIHRlc3Rz';
const at = (url: string | undefined, origin?: string) => judge({ url, origin }, CLOUD);

it('takes the token of whoever comes from a page of the cloud, or from no page', () => {
  expect(at(`/websockify?token=${TOKEN}`)).toEqual({ token: TOKEN });
  expect(at(`/websockify?token=${TOKEN}`, CLOUD)).toEqual({ token: TOKEN });
});

it.each([
  ['https://evil.example'],
  ['http://cloud.example:8443'],
  ['https://cloud.example'],
  ['https://cloud.example:8443.evil.example'],
  ['null'],
])('refuses pages of %s', (origin) => {
  expect(at(`/websockify?token=${TOKEN}`, origin)).toEqual({ status: 403 });
});

it('refuses what is no token, and other places', () => {
  expect(at('/websockify')).toEqual({ status: 403 });
  expect(at('/websockify?token=short')).toEqual({ status: 403 });
  expect(at(`/websockify?token=${TOKEN}%0d%0aX: y`)).toEqual({ status: 403 });
  expect(at(`/elsewhere?token=${TOKEN}`)).toEqual({ status: 404 });
  expect(at('//[')).toEqual({ status: 404 });
  expect(at(undefined)).toEqual({ status: 404 });
});
