import { globSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { expect, it } from 'vitest';

it('gives each migration of a service a number of its own', () => {
  const files = globSync('services/*/data/migrations/*.sql');
  expect(files.length).toBeGreaterThan(10);
  const numbered = Map.groupBy(files, (file) => `${dirname(file)}/${basename(file).slice(0, 4)}`);
  expect([...numbered.values()].filter((same) => same.length > 1)).toEqual([]);
});
