/**
 * The network service under many networks, ports, groups and rules: what one client can make in a second, and how long
 * everybody else waits meanwhile. Everything it makes is in a project of its own, and is removed at the end.
 * Use: node --import ./libs/testing/run-source.mjs tests/bench/network-load.ts STATE [NETWORKS] [PORTS] [GROUPS]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { loginTo } from '../runner/cloud-client.js';
import { run } from '../runner/command.js';
import { ownProject } from '../runner/project.js';

const [state = 'var', networkCount = '100', portCount = '1000', groupCount = '20'] = process.argv.slice(2);
const wanted = { networks: Number(networkCount), ports: Number(portCount), groups: Number(groupCount) };
const AT_ONCE = 8;
const RULES = 300;

interface Row {
  readonly id: string;
}

const quantile = (values: readonly number[], q: number): string => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0).toFixed(1);
};
const told = (times: readonly number[]): string =>
  `p50 ${quantile(times, 0.5)} ms, p99 ${quantile(times, 0.99)} ms, max ${quantile(times, 1)} ms`;

/** Runs the work for 0..count-1, several at once; gives each one's milliseconds and the rate over all. */
async function many(count: number, atOnce: number, work: (index: number) => Promise<void>) {
  const times: number[] = [];
  let next = 0;
  const begun = performance.now();
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      const from = performance.now();
      await work(index);
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return { times, perSecond: (count / (performance.now() - begun)) * 1000 };
}

const admin = await loginTo(state, 'yagura-admin');
const project = await ownProject(admin, `network-load-${Date.now().toString(36)}`);
const tenant = project.session;
const base = `${tenant.endpoint('network')}/v2.0`;

async function made(collection: string, one: string, body: object): Promise<string> {
  const answer = await tenant.call<Record<string, Row>>('POST', `${base}/${collection}`, { [one]: body });
  const row = answer.body[one];
  if (answer.status !== 201 || !row)
    throw new Error(`POST ${collection}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return row.id;
}

/** A bystander's requests while the load goes on: what another tenant would wait. */
async function bystander<T>(during: Promise<T>): Promise<{ result: T; waits: number[] }> {
  const waits: number[] = [];
  let over = false;
  const result = during.finally(() => {
    over = true;
  });
  while (!over) {
    const from = performance.now();
    await tenant.call('GET', `${base}/networks?limit=20`);
    waits.push(performance.now() - from);
    await sleep(50);
  }
  return { result: await result, waits };
}

const networks: string[] = [];
const groups: string[] = [];
const step = async (what: string, count: number, atOnce: number, work: (index: number) => Promise<void>) => {
  const { result, waits } = await bystander(many(count, atOnce, work));
  console.log(`${what}: ${result.perSecond.toFixed(0)} a second, ${told(result.times)}; bystander ${told(waits)}`);
};

const one = await made('security-groups', 'security_group', { name: 'rules' });
await step(`${RULES} rules in one group, ${AT_ONCE} at once`, RULES, AT_ONCE, async (index) => {
  const ports = { port_range_min: index + 1, port_range_max: index + 1 };
  const rule = { security_group_id: one, direction: 'ingress', protocol: 'tcp', ...ports };
  await made('security-group-rules', 'security_group_rule', rule);
});
await step(`${wanted.groups} groups`, wanted.groups, AT_ONCE, async (index) => {
  groups.push(await made('security-groups', 'security_group', { name: `load-${index}` }));
});
await step(`${wanted.networks} networks with a subnet`, wanted.networks, AT_ONCE, async (index) => {
  const network_id = await made('networks', 'network', { name: `load-${index}` });
  networks.push(network_id);
  await made('subnets', 'subnet', { network_id, ip_version: 4, cidr: '10.0.0.0/16' });
});
const port = (index: number) =>
  made('ports', 'port', {
    network_id: networks[index % networks.length] ?? '',
    security_groups: [groups[index % groups.length] ?? ''],
  }).then(() => undefined);
await step('100 ports, one at a time', 100, 1, port);
await step(`${wanted.ports} ports, ${AT_ONCE} at once`, wanted.ports, AT_ONCE, port);

const pages: number[] = [];
for (let url = `${base}/ports?limit=1000`; url !== ''; ) {
  const from = performance.now();
  const answer = await tenant.call<{ ports: Row[]; ports_links?: { rel: string; href: string }[] }>('GET', url);
  pages.push(performance.now() - from);
  url = answer.body.ports_links?.find((link) => link.rel === 'next')?.href ?? '';
}
console.log(`all ports in pages of 1000: ${pages.length} pages, ${told(pages)}`);

/** How long until nothing waits to be brought into OVN, as the operator's command tells it. */
const from = performance.now();
const waiting = async (): Promise<boolean> => {
  const options = { env: { YAGURA_STATE: state }, timeoutMs: 60_000, quiet: true };
  const { output } = await run('deploy/bin/yagura', ['status'], options);
  return !/changes on their way into ovn.*\b0 waiting/.test(output);
};
while (await waiting()) await sleep(100);
console.log(`OVN's northbound database had caught up ${(performance.now() - from).toFixed(0)} ms later`);

async function removeAll(collection: string, name: string): Promise<void> {
  for (;;) {
    const mine = `project_id=${tenant.projectId}&fields=id&limit=500${name}`;
    const { body } = await tenant.call<Record<string, Row[]>>('GET', `${base}/${collection}?${mine}`);
    const ids = (body[collection.replaceAll('-', '_')] ?? []).map((row) => row.id);
    if (ids.length === 0) return;
    await many(ids.length, AT_ONCE, async (index) => {
      await tenant.call('DELETE', `${base}/${collection}/${ids[index]}`);
    });
  }
}
await removeAll('ports', '');
await removeAll('networks', '');
await many(groups.length, AT_ONCE, async (index) => {
  await tenant.call('DELETE', `${base}/security-groups/${groups[index]}`);
});
await tenant.call('DELETE', `${base}/security-groups/${one}`);
await project.remove();
