import { expect, it } from 'vitest';
import { Secrets } from './secrets.js';

it('verifies the secret alone, and costs the same without a hash', async () => {
  const secrets = await Secrets.open(2);
  const known = await secrets.hash('right');
  expect(known).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await secrets.verify('right', known)).toBe(true);
  expect(await secrets.verify('wrong', known)).toBe(false);
  expect(await secrets.verify('a hash that no secret has', undefined)).toBe(false);
});

it('makes a flood wait, and turns away what would wait too long', async () => {
  const secrets = await Secrets.open(2, 8);
  const known = await secrets.hash('right');
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => secrets.verify('wrong', known)));
  expect(all.filter(({ status }) => status === 'rejected')).toHaveLength(10);
  expect(await secrets.verify('right', known)).toBe(true);
});
