import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, it } from 'vitest';

it('gives each decision a number of its own, the one in its title', () => {
  const files = globSync('docs/adr/*.md').sort();
  expect(files.length).toBeGreaterThan(20);
  const numbers = files.map((file) => Number(basename(file).slice(0, 4)));
  expect(numbers).toEqual([...new Set(numbers)]);
  expect(files.map((file) => Number(/^# (\d+)\. /.exec(readFileSync(file, 'utf8'))?.[1]))).toEqual(numbers);
});
