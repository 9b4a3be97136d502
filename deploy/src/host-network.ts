/** Bridges, network namespaces and the pairs of interfaces between them. All idempotent. */
import { run, succeeds } from './command.js';
import { type BridgeKind, type Container, type Interface, namespaceOf } from './container.js';
import { type Deployment, externalAddress, INTERNAL_RANGE, managementAddress } from './deployment.js';

/** The fabric carries tunnels, so it has room for their headers; the external network is as any other. */
const MTU: Readonly<Record<BridgeKind, string>> = { m: '1600', f: '1600', x: '1500' };
const ip = (...args: string[]): Promise<string> => run(['ip', ...args]);
const bridgeOf = (d: Deployment, bridge: BridgeKind): string => `yg${d.id}${bridge}`;
const outsideOf = (d: Deployment, i: Interface): string => `yg${d.id}${i.bridge}${i.host}`;

/**
 * The management bridge and the external one (the machine is .1 on both), and the fabric bridge, which carries tunnels
 * and has no address.
 */
export async function makeBridges(d: Deployment): Promise<void> {
  for (const kind of ['m', 'f', 'x'] as const) {
    const bridge = bridgeOf(d, kind);
    if (!(await succeeds(['ip', 'link', 'show', bridge])))
      await ip('link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
    await ip('link', 'set', bridge, 'mtu', MTU[kind], 'addrgenmode', 'none', 'up');
  }
  await keepOutsidersOut(d);
  await ip('addr', 'replace', `${managementAddress(d, 1)}/24`, 'dev', bridgeOf(d, 'm'));
  await ip('addr', 'replace', `${externalAddress(d, 1)}/24`, 'dev', bridgeOf(d, 'x'));
}

/**
 * What comes from the external bridge is tenants' packets. A machine that forwards, as one with Docker does, would carry
 * them into the networks that clouds keep to themselves; this rule refuses it, however forwarding is set.
 */
async function keepOutsidersOut(d: Deployment): Promise<void> {
  if (!(await isGuarded(d)))
    await ip('rule', 'add', 'pref', '1128', 'iif', bridgeOf(d, 'x'), 'to', INTERNAL_RANGE, 'prohibit');
}

async function isGuarded(d: Deployment): Promise<boolean> {
  const rules = JSON.parse(await ip('-j', '-4', 'rule', 'show')) as { iif?: string }[];
  return rules.some(({ iif }) => iif === bridgeOf(d, 'x'));
}

export async function makeNamespace(d: Deployment, container: Container): Promise<void> {
  const namespace = namespaceOf(d, container.name);
  if (!(await namespaces()).includes(namespace)) await ip('netns', 'add', namespace);
  await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  for (const i of container.interfaces ?? []) await plug(d, namespace, i);
}

async function plug(d: Deployment, namespace: string, i: Interface): Promise<void> {
  const outside = outsideOf(d, i);
  const inside = ['ip', '-n', namespace];
  if (!(await succeeds([...inside, 'link', 'show', i.name]))) {
    await succeeds(['ip', 'link', 'delete', outside]);
    await ip(
      'link',
      'add',
      outside,
      'mtu',
      MTU[i.bridge],
      'type',
      'veth',
      'peer',
      'name',
      i.name,
      'netns',
      namespace,
      'mtu',
      MTU[i.bridge],
    );
  }
  await ip('link', 'set', outside, 'addrgenmode', 'none', 'master', bridgeOf(d, i.bridge), 'up');
  await run([...inside, 'link', 'set', i.name, 'up']);
  if (i.address) await run([...inside, 'addr', 'replace', i.address, 'dev', i.name]);
}

const namespaces = async (): Promise<string[]> =>
  (await ip('netns', 'list')).split('\n').map((line) => line.split(' ')[0] ?? '');

export async function removeNamespace(d: Deployment, name: string): Promise<void> {
  const namespace = namespaceOf(d, name);
  if ((await namespaces()).includes(namespace)) await ip('netns', 'delete', namespace);
}

/** Everything of this cloud that the machine's network still knows. */
export async function removeNetwork(d: Deployment): Promise<void> {
  for (const namespace of (await namespaces()).filter((name) => name.startsWith(`yg${d.id}-`)))
    await ip('netns', 'delete', namespace);
  const links = JSON.parse(await ip('-j', 'link', 'show')) as { ifname: string }[];
  // Interfaces of a deleted namespace vanish a moment later by themselves, so a failure here is no failure.
  for (const { ifname } of links.filter((link) => link.ifname.startsWith(`yg${d.id}`)))
    await succeeds(['ip', 'link', 'delete', ifname]);
  if (await isGuarded(d)) await ip('rule', 'delete', 'iif', bridgeOf(d, 'x'));
}
