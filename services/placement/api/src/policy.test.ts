import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { policyMatrix } from '#libs/platform/http';
import { placementApiOps } from './placement.module.js';

const golden = new URL('./policy.golden.txt', import.meta.url);

it('lets each role do what the golden matrix says', () => {
  const matrix = policyMatrix(placementApiOps);
  if (process.env['UPDATE_GOLDEN']) writeFileSync(golden, matrix);
  expect(matrix).toBe(readFileSync(golden, 'utf8'));
});
