/** A server as clients read it. */
import { createHash } from 'node:crypto';
import { type Field, isoSeconds, type View, type ViewContext, view } from '#libs/wire';
import type { Interface, Server } from '#services/compute/domain';
import { isoNaive } from '../values.wire.js';
import { type FloatingAddress, standingFor } from './server.floating.js';
import { statusOf } from './server.status.js';

/** What a view needs beside the row, where the version and the caller make it show. */
export interface ServerRow extends Server {
  readonly userData?: string | null;
  readonly hostStatus?: string;
  /** As network says now. */
  readonly floatingIps?: readonly FloatingAddress[];
}

export const serverLinks = (base: string, id: string) => [
  { rel: 'self', href: `${base}/v2.1/servers/${id}` },
  { rel: 'bookmark', href: `${base}/servers/${id}` },
];
/** Where the image service of the same cloud shows an image. */
export const imageLink = (base: string, id: string): string => `${base.replace(/\/[^/]*$/, '')}/image/v2/images/${id}`;
const bookmark = (base: string, plural: string, id: string) => [
  { rel: 'bookmark', href: `${base}/${plural}/${encodeURIComponent(id)}` },
];

export const EXTENDED = 'os_compute_api:os-extended-server-attributes';
export const HOST_STATUS = 'os_compute_api:servers:show:host_status';
export const FLAVOR_SPECS = 'os_compute_api:servers:show:flavor-extra-specs';
export const ADMIN_DETAILS = 'os_compute_api:servers:allow_all_filters';

const hostIds = new Map<string, string>();
const HOST_IDS_KEPT = 20_000;

/** The same for all servers of a project on one node, and telling nothing of the node. */
export function hostId(projectId: string, host: string | null): string {
  if (host === null) return '';
  const key = projectId + host;
  const known = hostIds.get(key);
  if (known !== undefined) return known;
  const made = createHash('sha224').update(key).digest('hex');
  if (hostIds.size >= HOST_IDS_KEPT) hostIds.clear();
  hostIds.set(key, made);
  return made;
}

/** Addresses by the network's name, in the order of the interfaces; each with the floating ones that stand for it. */
export function addressesOf(
  interfaces: readonly Interface[],
  floating: readonly FloatingAddress[] = [],
): Record<string, Record<string, unknown>[]> {
  const networks = new Map<string, Record<string, unknown>[]>();
  for (const port of interfaces) {
    const list = networks.get(port.network) ?? [];
    const show = (type: 'fixed' | 'floating', version: number, addr: string): void => {
      list.push({ version, addr, 'OS-EXT-IPS:type': type, 'OS-EXT-IPS-MAC:mac_addr': port.mac });
    };
    for (const { version, address } of port.fixedIps) {
      show('fixed', version, address);
      for (const each of standingFor(floating, port, address)) show('floating', 4, each);
    }
    if (list.length) networks.set(port.network, list);
  }
  return Object.fromEntries(networks);
}

function faultOf(server: Server, context: ViewContext): unknown {
  if (!server.fault || !['error', 'deleted'].includes(server.vmState)) return undefined;
  const { code, message, details, created } = server.fault;
  const shown = { code, created: isoSeconds(new Date(created)), message };
  return details && (code !== 500 || context.may(ADMIN_DETAILS, server)) ? { ...shown, details } : shown;
}

const embeddedFlavor = ({ flavor }: Server, context: ViewContext) => ({
  vcpus: flavor.vcpus,
  ram: flavor.memoryMb,
  disk: flavor.diskGb,
  ephemeral: flavor.ephemeralGb,
  swap: flavor.swapMb,
  original_name: flavor.name,
  ...(context.may(FLAVOR_SPECS, undefined) ? { extra_specs: flavor.extraSpecs } : {}),
});

const PROGRESSING = new Set(['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE']);
const time = (at: Date | null): string | null => (at === null ? null : isoNaive(at));

const core: readonly Field<ServerRow>[] = [
  { name: 'id', from: (s) => s.id },
  { name: 'name', from: (s) => s.name },
  { name: 'status', from: (s) => statusOf(s) },
  { name: 'tenant_id', from: (s) => s.projectId },
  { name: 'user_id', from: (s) => s.userId },
  { name: 'metadata', from: (s) => s.metadata },
  { name: 'hostId', from: (s) => hostId(s.projectId, s.host) },
  {
    name: 'image',
    from: (s, { base }) => (s.imageId === null ? '' : { id: s.imageId, links: bookmark(base, 'images', s.imageId) }),
  },
  {
    name: 'flavor',
    until: '2.46',
    from: (s, { base }) => ({ id: s.flavorId, links: bookmark(base, 'flavors', s.flavorId) }),
  },
  { name: 'flavor', since: '2.47', from: embeddedFlavor },
  { name: 'created', from: (s) => isoSeconds(s.createdAt) },
  { name: 'updated', from: (s) => isoSeconds(s.updatedAt) },
  { name: 'addresses', from: (s) => addressesOf(s.addresses, s.floatingIps) },
  { name: 'accessIPv4', from: (s) => s.accessIpV4 },
  { name: 'accessIPv6', from: (s) => s.accessIpV6 },
  { name: 'links', from: (s, { base }) => serverLinks(base, s.id) },
  { name: 'OS-DCF:diskConfig', from: (s) => s.diskConfig },
  { name: 'progress', from: (s) => (PROGRESSING.has(statusOf(s)) ? 0 : undefined) },
  { name: 'fault', from: faultOf },
  { name: 'locked', since: '2.9', from: (s) => s.lockedBy !== null },
  { name: 'description', since: '2.19', from: (s) => s.description },
  { name: 'tags', since: '2.26', from: (s) => s.tags },
  { name: 'trusted_image_certificates', since: '2.63', from: () => null },
  { name: 'locked_reason', since: '2.73', from: (s) => s.lockedReason },
];

/** Without what extensions added to them. */
const plainAddresses = (s: ServerRow) =>
  Object.fromEntries(
    Object.entries(addressesOf(s.addresses, s.floatingIps)).map(([network, list]) => [
      network,
      list.map(({ version, addr }) => ({ version, addr })),
    ]),
  );

const shown: readonly Field<ServerRow>[] = [
  { name: 'OS-EXT-AZ:availability_zone', from: (s) => s.availabilityZone ?? '' },
  { name: 'pinned_availability_zone', since: '2.96', from: (s) => s.pinnedZone },
  { name: 'config_drive', from: (s) => (s.configDrive ? 'True' : '') },
  { name: 'key_name', from: (s) => s.keyName },
  { name: 'OS-SRV-USG:launched_at', from: (s) => time(s.launchedAt) },
  { name: 'OS-SRV-USG:terminated_at', from: (s) => time(s.terminatedAt) },
  {
    name: 'security_groups',
    from: (s) => (s.securityGroups.length ? s.securityGroups.map(({ name }) => ({ name })) : undefined),
  },
  { name: 'OS-EXT-STS:task_state', from: (s) => s.taskState },
  { name: 'OS-EXT-STS:vm_state', from: (s) => s.vmState },
  { name: 'OS-EXT-STS:power_state', from: (s) => s.powerState },
  { name: 'os-extended-volumes:volumes_attached', from: () => [] },
];

const attributes: readonly Field<ServerRow>[] = [
  { name: 'OS-EXT-SRV-ATTR:host', from: (s) => s.host },
  { name: 'OS-EXT-SRV-ATTR:hypervisor_hostname', from: (s) => s.host },
  { name: 'OS-EXT-SRV-ATTR:instance_name', from: (s) => `instance-${s.id}` },
  { name: 'OS-EXT-SRV-ATTR:reservation_id', since: '2.3', from: (s) => s.reservationId },
  { name: 'OS-EXT-SRV-ATTR:launch_index', since: '2.3', from: (s) => s.launchIndex },
  { name: 'OS-EXT-SRV-ATTR:hostname', since: '2.3', until: '2.89', from: (s) => s.hostname },
  { name: 'OS-EXT-SRV-ATTR:kernel_id', since: '2.3', from: () => '' },
  { name: 'OS-EXT-SRV-ATTR:ramdisk_id', since: '2.3', from: () => '' },
  { name: 'OS-EXT-SRV-ATTR:root_device_name', since: '2.3', from: () => '/dev/vda' },
  { name: 'OS-EXT-SRV-ATTR:user_data', since: '2.3', from: (s) => s.userData ?? null },
];
const administrative = attributes.map((field) => ({ ...field, rule: EXTENDED }));

const detail: readonly Field<ServerRow>[] = [
  ...core,
  ...shown,
  ...administrative,
  { name: 'OS-EXT-SRV-ATTR:hostname', since: '2.90', from: (s) => s.hostname },
  { name: 'host_status', since: '2.16', rule: HOST_STATUS, from: (s) => s.hostStatus },
];
const groups: Field<ServerRow> = {
  name: 'server_groups',
  since: '2.71',
  from: (s) => (s.groupId === null ? [] : [s.groupId]),
};

/** GET of many. */
export const listedServer: View<ServerRow> = view(detail);
/** GET of one. */
export const shownServer: View<ServerRow> = view([...detail, groups]);
const updatedFields: readonly Field<ServerRow>[] = [
  ...core.map((field) => (field.name === 'addresses' ? { ...field, since: '2.75' } : field)),
  { name: 'addresses', until: '2.74', from: plainAddresses },
  groups,
  ...[...shown, ...administrative].map((field) => ({ ...field, since: later(field.since, '2.75') })),
  { name: 'OS-EXT-SRV-ATTR:hostname', since: '2.90', from: (s) => s.hostname },
  { name: 'host_status', since: '2.75', rule: HOST_STATUS, from: (s) => s.hostStatus },
];
/** The answer to PUT: shorter than a GET up to 2.74. */
export const updatedServer: View<ServerRow> = view(updatedFields);

/** A server that has just been told to begin anew, with its new password. */
export interface RebuiltRow extends ServerRow {
  readonly newPassword: string;
  /** Base64, shown to its owner. */
  readonly ownUserData: string | null;
}

/** The answer to a rebuild: that of a PUT and what a rebuild changes. */
export const rebuiltServer: View<RebuiltRow> = view<RebuiltRow>([
  ...updatedFields.filter(({ name }) => !['key_name', 'OS-EXT-SRV-ATTR:user_data'].includes(name)),
  { name: 'key_name', since: '2.54', from: (s) => s.keyName },
  { name: 'user_data', since: '2.57', from: (s) => s.ownUserData },
  { name: 'adminPass', from: (s) => s.newPassword },
]);

function later(since: string | undefined, other: string): string {
  const minor = (version: string): number => Number(version.split('.')[1]);
  return since !== undefined && minor(since) > minor(other) ? since : other;
}

export const briefServer = view<{ id: string; name: string }>([
  { name: 'id', from: (s) => s.id },
  { name: 'name', from: (s) => s.name },
  { name: 'links', from: (s, { base }) => serverLinks(base, s.id) },
]);

const SINCE_USER_DATA = 2_003;
const SINCE_HOST_STATUS = 2_016;

/** What has to be read beside the rows for this caller at this version. */
export const extrasFor = (context: ViewContext): { readonly userData: boolean; readonly hostStatus: boolean } => ({
  userData: context.version >= SINCE_USER_DATA && context.may(EXTENDED, undefined),
  hostStatus: context.version >= SINCE_HOST_STATUS && context.may(HOST_STATUS, undefined),
});
