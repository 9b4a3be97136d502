import { expect, it } from 'vitest';
import { noValidHost } from './claim.js';

const place = (node: string, why: string) => ({ node, providerId: node, why });

it('says first what went wrong where it was tried, then what dropped how many others, and names no node', () => {
  const summary = '2 nodes lack 512 MB of memory; 1 is disabled: maintenance';
  expect(noValidHost([], summary).message).toBe(`No valid host was found. ${summary}.`);
  expect(noValidHost([place('node-2', 'no such machine type')], summary).message).toBe(
    `No valid host was found. It failed on 1 node: no such machine type. ${summary}.`,
  );
  const tried = [place('a', 'no space'), place('b', 'no image'), place('c', 'no space')];
  expect(noValidHost(tried, '').message).toBe(
    'No valid host was found. It failed on 3 nodes: no space (on 2); no image.',
  );
});

it('keeps each reason short', () => {
  expect(noValidHost([place('a', 'x'.repeat(5_000))], '').message.length).toBeLessThan(300);
});
