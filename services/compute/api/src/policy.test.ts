import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { policyMatrix } from '#libs/platform/http';
import { computeOps, computeRules } from './index.js';

const GOLDEN = new URL('./policy.golden.txt', import.meta.url);

it('lets each role in each scope do what the committed matrix says', () => {
  const matrix = policyMatrix(computeOps);
  if (process.env['UPDATE_GOLDEN']) writeFileSync(GOLDEN, matrix);
  expect(matrix).toBe(readFileSync(GOLDEN, 'utf8'));
});

it('names each rule in one way', () => {
  const rules = [...computeOps.flatMap((row) => (row.rule === 'public' ? [] : [row.rule])), ...computeRules];
  const texts = new Map<string, string>();
  for (const { name, check } of rules) {
    expect(texts.get(name) ?? check.text, name).toBe(check.text);
    texts.set(name, check.text);
  }
});
