import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { policyMatrix } from '#libs/platform/http';
import { identityOps } from './ops.js';

const GOLDEN = new URL('./policy.golden.txt', import.meta.url);

it('lets do whom the golden matrix says', () => {
  const matrix = policyMatrix(identityOps);
  if (process.env['UPDATE_GOLDEN'] || !existsSync(GOLDEN)) writeFileSync(GOLDEN, matrix);
  expect(matrix).toBe(readFileSync(GOLDEN, 'utf8'));
});

it('answers without a token only where a client can not have one yet', () => {
  const open = identityOps.filter((row) => row.rule === 'public').map((row) => `${row.method} ${row.path}`);
  expect(open).toEqual(['GET /', 'GET /v3', 'POST /v3/auth/tokens', 'POST /v3/users/:user_id/password']);
});

it('lets no plain member change anything but his own', () => {
  const changes = identityOps.filter((row) => row.method !== 'GET' && row.method !== 'HEAD' && row.rule !== 'public');
  const stranger = {
    userId: 'stranger',
    userName: 's',
    userDomainId: 'd',
    projectId: 'p',
    projectName: 'p',
    projectDomainId: 'd',
    domainId: undefined,
    systemScope: false,
    roles: new Set(['manager', 'member', 'reader']),
  };
  const target = { projectId: 'p', domainId: 'd', userId: 'somebody' };
  const open = changes.filter((row) => row.rule !== 'public' && row.rule.check.test(stranger, target));
  expect(open.map((row) => row.path)).toEqual([]);
});
