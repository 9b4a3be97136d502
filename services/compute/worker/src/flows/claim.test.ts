import { expect, it } from 'vitest';
import { noValidHost } from './claim.js';

const place = (node: string, why: string) => ({ node, providerId: node, why });

it('names those that were tried first, each once', () => {
  const fault = noValidHost(
    [place('node-2', 'no such machine type')],
    [
      { providerName: 'node-1', reason: 'needs 2048 MB of memory, 512 MB free' },
      { providerName: 'node-2', reason: 'it was tried before' },
    ],
  );
  expect(fault.message).toBe(
    'No valid host was found. node-2: no such machine type; node-1: needs 2048 MB of memory, 512 MB free.',
  );
});

it('counts the rest where there are many', () => {
  const rejections = Array.from({ length: 12 }, (_, n) => ({ providerName: `n${n}`, reason: 'full' }));
  expect(noValidHost([], rejections).message).toMatch(/n9: full; and 2 more\.$/);
});
