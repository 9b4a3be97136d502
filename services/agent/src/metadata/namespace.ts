/**
 * The network namespace from which a network's guests are answered: one end of a veth with metadata's addresses, the
 * other plugged into OVS as the network's metadata port. Where its packets go is written down, never asked for: who
 * claims a guest's address by ARP gets no answer that is meant for that guest, so that an address proves its port.
 */
import type { Run } from '../exec/run.js';
import type { Ovs } from '../ovs/ovs.js';
import type { MetadataNetwork, Neighbour } from './networks.js';

export const METADATA_ADDRESS = '169.254.169.254';
export const METADATA_ADDRESS_6 = 'fe80::a9fe:a9fe';
export const NAMESPACE = 'meta-';
export const DEVICE = 'ym';

export const namespaceOf = (networkId: string): string => `${NAMESPACE}${networkId}`;
const deviceOf = (networkId: string): string => `${DEVICE}${networkId.slice(0, 11)}`;

const works = (command: Promise<unknown>): Promise<boolean> =>
  command.then(
    () => true,
    () => false,
  );

const inside =
  (run: Run, networkId: string) =>
  (...args: string[]): Promise<string> =>
    run('ip', ['-n', namespaceOf(networkId), ...args]);

/** Makes what is missing; may be repeated. */
export async function makeNamespace(run: Run, ovs: Ovs, network: MetadataNetwork): Promise<void> {
  const { networkId } = network;
  const namespace = namespaceOf(networkId);
  const device = deviceOf(networkId);
  const ip = (...args: string[]) => run('ip', args);
  const within = inside(run, networkId);
  if (!(await works(within('link', 'show', 'dev', 'lo')))) {
    // The name may be left from before the machine's last start.
    await works(ip('netns', 'delete', namespace));
    await ip('netns', 'add', namespace);
  }
  if (!(await works(within('link', 'show', 'dev', 'eth0')))) {
    await works(ip('link', 'del', device));
    await ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  }
  const mtu = String(network.mtu || 1442);
  await within('link', 'set', 'dev', 'eth0', 'address', network.mac, 'mtu', mtu, 'up');
  await within('link', 'set', 'dev', 'lo', 'up');
  await within('addr', 'replace', `${METADATA_ADDRESS}/32`, 'dev', 'eth0');
  // The same address is on every node of the network, so it is not asked whether somebody has it. A host may have no IPv6.
  await works(within('addr', 'replace', `${METADATA_ADDRESS_6}/64`, 'dev', 'eth0', 'nodad'));
  for (const cidr of network.cidrs) await within('route', 'replace', cidr, 'dev', 'eth0', 'src', METADATA_ADDRESS);
  await ip('link', 'set', 'dev', device, 'mtu', mtu, 'up');
  await ovs.plug(device, network.portId);
}

export async function removeNamespace(run: Run, ovs: Ovs, networkId: string): Promise<void> {
  const device = deviceOf(networkId);
  await ovs.remove([device]);
  await works(run('ip', ['link', 'del', device]));
  await run('ip', ['netns', 'delete', namespaceOf(networkId)]);
}

/** Forgets every guest that was written down, also before a start of ours. */
export async function forgetNeighbours(run: Run, networkId: string): Promise<void> {
  await inside(run, networkId)('neigh', 'flush', 'dev', 'eth0', 'nud', 'permanent');
}

/** Writes down the guests that are new, and forgets those that are no more. `known` is by address, and is kept true. */
export async function writeNeighbours(
  run: Run,
  networkId: string,
  wanted: readonly Neighbour[],
  known: Map<string, string>,
): Promise<void> {
  const within = inside(run, networkId);
  for (const { address, mac } of wanted) {
    if (known.get(address) === mac) continue;
    const writing = within('neigh', 'replace', address, 'lladdr', mac, 'nud', 'permanent', 'dev', 'eth0');
    await (address.includes(':') ? works(writing) : writing);
    known.set(address, mac);
  }
  const here = new Set(wanted.map(({ address }) => address));
  for (const address of [...known.keys()]) {
    if (here.has(address)) continue;
    await works(within('neigh', 'del', address, 'dev', 'eth0'));
    known.delete(address);
  }
}
