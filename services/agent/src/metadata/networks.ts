/** Which networks get metadata on this node, and who asks there. Pure. */
import type { ServerSpec } from './documents.js';

/** A guest as its network sees it: what is sent to one of the addresses goes to this MAC and nowhere else. */
export interface Neighbour {
  readonly address: string;
  readonly mac: string;
}

/** One network as far as metadata goes. */
export interface MetadataNetwork {
  readonly networkId: string;
  readonly portId: string;
  readonly mac: string;
  readonly mtu: number;
  /** Subnets of IPv4 whose guests are answered; over IPv6 guests ask from their link-local address. */
  readonly cidrs: readonly string[];
  readonly neighbours: readonly Neighbour[];
}

type Nic = ServerSpec['nics'][number];

/** EUI-64, the only link-local address that port security lets a guest use. */
export function linkLocal(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((part) => Number.parseInt(part, 16));
  const word = (high: number, low: number): string => ((high << 8) | low).toString(16);
  const words = [word(a ^ 2, b), word(c, 0xff), word(0xfe, d), word(e, f)];
  // As the system writes it: zeros at the beginning belong to the gap.
  return `fe80::${(words[0] === '0' ? words.slice(1) : words).join(':')}`;
}

/** The addresses from which a guest may ask. */
const asksFrom = (nic: Nic): string[] => [
  ...nic.fixedIps.filter((ip) => ip.version !== 6).map((ip) => ip.address),
  linkLocal(nic.mac),
];

/** The networks with metadata that these servers are on. */
export function metadataNetworks(specs: readonly ServerSpec[]): Map<string, MetadataNetwork> {
  const networks = new Map<string, MetadataNetwork>();
  for (const nic of specs.flatMap((spec) => spec.nics)) {
    if (!nic.metadataPortId) continue;
    const known = networks.get(nic.networkId);
    const cidrs = nic.fixedIps.filter((ip) => ip.version !== 6).map((ip) => ip.cidr);
    const neighbours = asksFrom(nic).map((address) => ({ address, mac: nic.mac }));
    networks.set(nic.networkId, {
      networkId: nic.networkId,
      portId: nic.metadataPortId,
      mac: nic.metadataMac,
      mtu: nic.mtu,
      cidrs: [...new Set([...(known?.cidrs ?? []), ...cidrs])].sort(),
      neighbours: [...(known?.neighbours ?? []), ...neighbours],
    });
  }
  return networks;
}

/** The server with that address on that network. A link-local address bears the name of its interface. */
export function whoIs(specs: readonly ServerSpec[], networkId: string, address: string): ServerSpec | undefined {
  const plain = address.replace(/^::ffff:/, '').replace(/%.*$/, '');
  return specs.find((spec) => spec.nics.some((nic) => nic.networkId === networkId && asksFrom(nic).includes(plain)));
}
