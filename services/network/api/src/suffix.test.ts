import { expect, it } from 'vitest';
import { withoutSuffix } from './suffix.js';

it('takes the suffix of old clients off paths, and off nothing else', () => {
  expect(withoutSuffix('/v2.0/networks.json')).toBe('/v2.0/networks');
  expect(withoutSuffix('/v2.0/networks/a.json/?name=b.json')).toBe('/v2.0/networks/a?name=b.json');
  expect(withoutSuffix('/v2.0/networks/a/tags.json')).toBe('/v2.0/networks/a/tags');
  expect(withoutSuffix('/v2.0/networks/a/tags/b.json')).toBe('/v2.0/networks/a/tags/b.json');
  expect(withoutSuffix('/v2.0/networks?name=b.json')).toBe('/v2.0/networks?name=b.json');
  expect(withoutSuffix('/v2.0/networks')).toBe('/v2.0/networks');
});
