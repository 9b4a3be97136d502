/**
 * POST to ACTIVE, one server at a time, polled at 5 ms, with a delete after each.
 * Use: node tests/bench/boot-latency.ts STATE COUNT [ZONE]    (ZONE `simulated` for the fake driver)
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';

const [state = 'var', count = '10', zone] = process.argv.slice(2);
const file = parse(readFileSync(join(state, 'clouds.yaml'), 'utf8')) as {
  clouds: Record<string, { auth: Record<string, string> }>;
};
const login = file.clouds['yagura-demo']?.auth ?? {};
const origin = new URL(login['auth_url'] ?? '').origin;
let token = '';

async function call(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: never; token: string }> {
  const response = await fetch(origin + path, {
    method,
    headers: { 'Content-Type': 'application/json', 'X-Auth-Token': token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text ? JSON.parse(text) : undefined) as never,
    token: response.headers.get('x-subject-token') ?? '',
  };
}

const domain = { name: 'Default' };
const user = { name: login['username'], password: login['password'], domain };
const scope = { project: { name: login['project_name'], domain } };
const identity = { methods: ['password'], password: { user } };
token = (await call('POST', '/identity/v3/auth/tokens', { auth: { identity, scope } })).token;

interface Named {
  readonly id: string;
  readonly name: string;
}
const pick = (list: readonly Named[], name: string): string => list.find((item) => item.name === name)?.id ?? '';
const { images } = (await call('GET', '/image/v2/images')).body as { images: Named[] };
const { flavors } = (await call('GET', '/compute/v2.1/flavors')).body as { flavors: Named[] };
const { networks } = (await call('GET', '/network/v2.0/networks')).body as { networks: Named[] };

async function once(index: number): Promise<{ post: number; active: number }> {
  const server = {
    name: `latency-${index}`,
    imageRef: pick(images, 'tiny'),
    flavorRef: pick(flavors, 'm1.nano'),
    networks: [{ uuid: pick(networks, 'demo') }],
    ...(zone ? { availability_zone: zone } : {}),
  };
  const begun = performance.now();
  const made = (await call('POST', '/compute/v2.1/servers', { server })).body as { server: Named };
  const post = performance.now() - begun;
  const path = `/compute/v2.1/servers/${made.server.id}`;
  for (let status = ''; status !== 'ACTIVE'; ) {
    status = ((await call('GET', path)).body as { server: { status: string } }).server.status;
    if (status === 'ERROR') throw new Error(`${made.server.id} is in ERROR`);
    if (status !== 'ACTIVE') await sleep(5);
  }
  const active = performance.now() - begun;
  await call('DELETE', path);
  while ((await call('GET', path)).status !== 404) await sleep(50);
  return { post, active };
}

const runs: { post: number; active: number }[] = [];
for (let index = 0; index < Number(count); index++) runs.push(await once(index));
const median = (values: number[]): string =>
  (values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0).toFixed(0);
const actives = runs.map((run) => run.active).sort((a, b) => a - b);
console.log(
  `${runs.length} servers: POST p50 ${median(runs.map((run) => run.post))} ms, ACTIVE p50 ${median(actives)} ms, ` +
    `min ${actives[0]?.toFixed(0)} ms, max ${actives.at(-1)?.toFixed(0)} ms`,
);
