/** Advisory class 19: after everything the other tests did, no secret stands in any log. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { STATE } from '../e2e/client.js';
import { cloudEntry, loginTo, type Session } from '../runner/cloud-client.js';

const CANARY = 'canary-4b1d-secret';
let demo: Session;

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

beforeAll(async () => {
  demo = await loginTo(STATE, 'yagura-demo');
  const nova = demo.endpoint('compute');
  await demo.call('POST', `${nova}/servers`, {
    server: {
      name: 'x',
      flavorRef: 'none',
      imageRef: 'none',
      adminPass: CANARY,
      user_data: Buffer.from(CANARY).toString('base64'),
    },
  });
  const identity = {
    methods: ['password'],
    password: { user: { name: 'demo', domain: { name: 'Default' }, password: CANARY } },
  };
  await demo.call('POST', `${demo.authUrl}/auth/tokens`, { auth: { identity } });
  await demo.call('GET', `${nova}/servers`, undefined, { 'X-Auth-Token': CANARY });
});

it('no log holds a password, a token or a canary', () => {
  const secrets = [
    CANARY,
    Buffer.from(CANARY).toString('base64'),
    demo.token,
    ...['yagura-demo', 'yagura-admin'].map((cloud) => cloudEntry(STATE, cloud).auth.password),
  ];
  const hits = files(join(STATE, 'log')).flatMap((path) => {
    const text = readFileSync(path, 'latin1');
    return secrets.flatMap((secret, index) => (text.includes(secret) ? [`${path}: secret ${index}`] : []));
  });
  expect(hits).toEqual([]);
});

it('what holds secrets is readable by its owner alone', () => {
  expect(statSync(join(STATE, 'clouds.yaml')).mode & 0o077).toBe(0);
  for (const path of files(join(STATE, 'secrets'))) expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
});
