/** The default group filters: members of the group reach each other, another group's server does not reach them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must, openstack, STATE, show, until } from './client.js';

const DEMO = 'yagura-demo';
const run = `iso-${Date.now().toString(36)}`;
const folder = mkdtempSync(join(STATE, 'e2e-'));

const prober = (peer: string): string => `#!/bin/sh
i=0
while [ $i -lt 15 ]; do
  if ping -c 1 -W 1 ${peer} >/dev/null 2>&1; then echo "PROBE OPEN" >/dev/ttyS0; exit 0; fi
  i=$((i+1)); sleep 1
done
echo "PROBE CLOSED" >/dev/ttyS0
`;

const probe = async (server: string): Promise<string> => {
  const text = await until(
    `the probe of ${server}`,
    async () => (await openstack(DEMO, 'console', 'log', 'show', server)).output,
    (output) => /PROBE (OPEN|CLOSED)/.test(output),
    150_000,
  );
  return /PROBE (OPEN|CLOSED)/.exec(text)?.[1] ?? '';
};

beforeAll(async () => {
  await must(DEMO, 'network', 'create', run);
  await must(DEMO, 'subnet', 'create', '--network', run, '--subnet-range', '10.78.0.0/24', run);
  await must(DEMO, 'security', 'group', 'create', run);
});

afterAll(async () => {
  await openstack(DEMO, 'server', 'delete', '--wait', `${run}-target`, `${run}-in`, `${run}-out`);
  await openstack(DEMO, 'security', 'group', 'delete', run);
  await openstack(DEMO, 'network', 'delete', run);
  rmSync(folder, { recursive: true, force: true });
});

it('lets members of the default group in and keeps others out', async () => {
  const boot = ['server', 'create', '--flavor', 'm1.nano', '--image', 'tiny', '--network', run, '--wait'];
  await must(DEMO, ...boot, `${run}-target`);
  const { addresses } = await show<{ addresses: Record<string, string[]> }>(DEMO, 'server', 'show', `${run}-target`);
  writeFileSync(join(folder, 'probe'), prober(addresses[run]?.[0] ?? 'none'));
  await Promise.all([
    must(DEMO, ...boot, '--user-data', join(folder, 'probe'), `${run}-in`),
    must(DEMO, ...boot, '--user-data', join(folder, 'probe'), '--security-group', run, `${run}-out`),
  ]);
  expect([await probe(`${run}-in`), await probe(`${run}-out`)]).toEqual(['OPEN', 'CLOSED']);
});
