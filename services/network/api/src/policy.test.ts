import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { policyMatrix } from '#libs/platform/http';
import { networkApiOps } from './index.js';

const GOLDEN = join(import.meta.dirname, 'policy.golden.txt');

it('lets those do what the golden matrix says, and nobody else', () => {
  const matrix = policyMatrix(networkApiOps);
  if (process.env['UPDATE_GOLDEN']) writeFileSync(GOLDEN, matrix);
  expect(matrix).toBe(readFileSync(GOLDEN, 'utf8'));
});
