import { expect, it } from 'vitest';
import { SignedUrls } from './signed-url.js';

const urls = new SignedUrls('http://10.0.0.10:9292', 'k'.repeat(32));
const grant = { access: 'read', imageId: 'a', node: 'node-1', expiresAtMs: 1_000 } as const;
const signature = new URL(urls.url(grant)).searchParams.get('sig') ?? '';

it('allows exactly what was signed, until it expires', () => {
  expect(urls.url(grant).startsWith('http://10.0.0.10:9292/blobs/a?node=node-1&exp=1000&sig=')).toBe(true);
  expect(urls.allows(grant, signature, 999)).toBe(true);
  expect(urls.allows(grant, signature, 1_000)).toBe(false);
  expect(urls.allows({ ...grant, access: 'write' }, signature, 0)).toBe(false);
  expect(urls.allows({ ...grant, imageId: 'b' }, signature, 0)).toBe(false);
  expect(urls.allows({ ...grant, node: 'node-2' }, signature, 0)).toBe(false);
  expect(urls.allows({ ...grant, expiresAtMs: 2_000 }, signature, 0)).toBe(false);
  expect(urls.allows(grant, '', 0)).toBe(false);
  expect(urls.allows(grant, `${signature}AA`, 0)).toBe(false);
  expect(new SignedUrls('http://x', 'j'.repeat(32)).allows(grant, signature, 0)).toBe(false);
});
