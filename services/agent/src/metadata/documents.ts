/**
 * What a guest is told about itself, as documents: OpenStack's tree (config drive and metadata service alike) and the
 * EC2 tree that cloud-init and older images read. Pure: from a server's spec to text.
 */
import { createHash } from 'node:crypto';
import type { computeV1 } from '#libs/contract';
import { serialOf } from '../domain/disks-xml.js';

export type ServerSpec = computeV1.ServerSpec;

/** Folders under /openstack, as released; all of them serve the newest documents. */
export const OPENSTACK_VERSIONS = [
  '2012-08-10',
  '2013-04-04',
  '2013-10-17',
  '2015-10-15',
  '2016-06-30',
  '2016-10-06',
  '2017-02-22',
  '2018-08-27',
  '2020-10-14',
  'latest',
] as const;
export const EC2_VERSIONS = [
  '1.0',
  '2007-01-19',
  '2007-03-01',
  '2007-08-29',
  '2007-10-10',
  '2007-12-15',
  '2008-02-01',
  '2008-09-01',
  '2009-04-04',
  'latest',
] as const;

const json = (value: unknown): string => JSON.stringify(value);
const keyLine = (data: string): string => data.trim();

/** Stable for a server, unguessable without the host's own secret; 512 bytes as cloud-init expects. */
function randomSeed(spec: ServerSpec, secret: string): string {
  const blocks = Array.from({ length: 8 }, (_, n) =>
    createHash('sha512').update(`${secret}\0${spec.serverId}\0${n}`).digest(),
  );
  return Buffer.concat(blocks).toString('base64');
}

export interface MetaDataOptions {
  /** Mixed into the random seed. */
  readonly secret: string;
  /** The administrator's password goes on the config drive alone. */
  readonly withPassword?: boolean;
}

export function metaData(spec: ServerSpec, options: MetaDataOptions): string {
  const keys = spec.keys.map(({ name, type, data }) => ({ name, type: type || 'ssh', data: keyLine(data) }));
  return json({
    uuid: spec.serverId,
    name: spec.name,
    hostname: spec.hostname,
    availability_zone: spec.availabilityZone,
    launch_index: 0,
    project_id: spec.projectId,
    random_seed: randomSeed(spec, options.secret),
    devices: taggedDevices(spec),
    dedicated_cpus: [],
    ...(keys.length ? { keys, public_keys: Object.fromEntries(keys.map((key) => [key.name, key.data])) } : {}),
    ...(Object.keys(spec.metadata).length ? { meta: spec.metadata } : {}),
    ...(spec.files.length ? { files: spec.files.map(({ path }, n) => ({ path, content_path: contentPath(n) })) } : {}),
    ...(options.withPassword && spec.adminPass ? { admin_pass: spec.adminPass } : {}),
  });
}

/** A disk is found by its serial number, wherever the guest's kernel puts it. */
function taggedDevices({ nics, rootDisk, localDisks }: ServerSpec) {
  const place = { bus: 'none', address: 'none' };
  return [
    ...nics.filter(({ tag }) => tag).map(({ mac, tag }) => ({ type: 'nic', ...place, mac, tags: [tag] })),
    ...[...(rootDisk ? [rootDisk] : []), ...localDisks]
      .filter(({ tag }) => tag)
      .map(({ diskId, tag }) => ({ type: 'disk', ...place, serial: serialOf(diskId), tags: [tag] })),
  ];
}

/** What the operator adds for every guest; nothing so far. The second document names who says what. */
export const VENDOR_DATA = '{}';
export const VENDOR_DATA_2 = '{"static":{}}';

/** Where an injected file's bytes are found below /openstack. */
export const contentPath = (n: number): string => `/content/${String(n).padStart(4, '0')}`;

export function networkData(spec: ServerSpec): string {
  const linkOf = (n: number): string => `tap${spec.nics[n]!.portId.slice(0, 11)}`;
  const links = spec.nics.map((nic, n) => ({
    id: linkOf(n),
    vif_id: nic.portId,
    type: 'ovs',
    mtu: nic.mtu || null,
    ethernet_mac_address: nic.mac,
  }));
  const addresses = spec.nics.flatMap((nic, n) => nic.fixedIps.map((ip) => ({ ip, nic, link: linkOf(n) })));
  const networks = addresses.map(({ ip, nic, link }, n) => network(ip, nic.networkId, link, n));
  const servers = new Set(addresses.flatMap(({ ip }) => ip.dns));
  return json({ links, networks, services: [...servers].map((address) => ({ type: 'dns', address })) });
}

function network(ip: computeV1.FixedIp, networkId: string, link: string, n: number) {
  const netmask = netmaskOf(ip);
  const any = ip.version === 6 ? '::' : '0.0.0.0';
  const routes = ip.routes.map((route) => {
    const [network = '', bits = ''] = route.destination.split('/');
    return { network, netmask: maskText(ip.version, Number(bits)), gateway: route.nexthop };
  });
  return {
    id: `network${n}`,
    type: ip.version === 6 ? `ipv6${ip.addressMode ? `_${ip.addressMode}` : ''}` : 'ipv4',
    link,
    network_id: networkId,
    ip_address: ip.address,
    netmask,
    routes: [...(ip.gateway ? [{ network: any, netmask: any, gateway: ip.gateway }] : []), ...routes],
    services: ip.dns.map((address) => ({ type: 'dns', address })),
  };
}

const netmaskOf = (ip: computeV1.FixedIp): string =>
  maskText(ip.version, Number(ip.cidr.split('/')[1] ?? (ip.version === 6 ? 128 : 32)));

function maskText(version: number, bits: number): string {
  const width = version === 6 ? 128 : 32;
  const value = (1n << BigInt(width)) - (1n << BigInt(width - Math.min(Math.max(bits, 0), width)));
  if (version !== 6) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const words = Array.from({ length: 8 }, (_, n) => ((value >> BigInt(112 - 16 * n)) & 0xffffn).toString(16));
  const ones = words.filter((word) => word !== '0');
  return ones.length < 7 ? `${ones.join(':')}::` : words.join(':');
}

/** A folder of documents: a string is a file, an object a folder; a name with `label` is listed as `name=label`. */
export interface Folder {
  readonly [name: string]: string | Folder;
}

export function ec2MetaData(spec: ServerSpec): Folder {
  const ips = spec.nics.flatMap((nic) => nic.fixedIps);
  const local = ips.find((ip) => ip.version !== 6)?.address ?? '';
  const keys = Object.fromEntries(spec.keys.map((key, n) => [String(n), { 'openssh-key': keyLine(key.data) }]));
  return {
    'ami-id': ec2Id('ami', spec.image?.imageId ?? spec.serverId),
    'ami-launch-index': '0',
    'ami-manifest-path': '',
    'block-device-mapping': { ami: 'vda', root: '/dev/vda' },
    hostname: spec.hostname,
    'instance-action': 'none',
    'instance-id': ec2Id('i', spec.serverId),
    'instance-type': spec.flavorName,
    'local-hostname': spec.hostname,
    'local-ipv4': local,
    placement: { 'availability-zone': spec.availabilityZone },
    'public-hostname': spec.hostname,
    'public-ipv4': ips.flatMap((ip) => ip.floating)[0] ?? '',
    ...(spec.keys.length ? { 'public-keys': keys } : {}),
    'reservation-id': ec2Id('r', spec.serverId),
    'security-groups': groupsOf(spec),
  };
}

/** Names of the groups of all interfaces, a line each. */
const groupsOf = (spec: ServerSpec): string => [...new Set(spec.nics.flatMap((nic) => nic.securityGroups))].join('\n');

/** EC2 ids are eight hex digits; ours are taken from the uuid, so that they stay the same on any node. */
const ec2Id = (prefix: string, uuid: string): string =>
  `${prefix}-${createHash('sha256').update(uuid).digest('hex').slice(0, 8)}`;

/** The file at a path below a folder, or the listing of a folder, or undefined. */
export function lookUp(folder: Folder, path: readonly string[], keyNames: readonly string[] = []): string | undefined {
  let here: string | Folder | undefined = folder;
  for (const part of path) {
    if (typeof here !== 'object' || !Object.hasOwn(here, part)) return undefined;
    here = here[part];
  }
  if (typeof here !== 'object') return here;
  const isKeys = path.at(-1) === 'public-keys';
  return Object.entries(here)
    .map(([name, child]) =>
      isKeys ? `${name}=${keyNames[Number(name)] ?? ''}` : typeof child === 'object' ? `${name}/` : name,
    )
    .join('\n');
}
