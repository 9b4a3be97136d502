/** The desired state of a server as its node is told it: rows of ours and answers of network and image, put together. */
import { computeV1, type imageV1, type networkV1 } from '#libs/contract';
import type { ServerNode } from '#services/compute/data';
import {
  adminUserOf,
  formatOf,
  type RescueDisk,
  type Server,
  type ServerSecrets,
  type StoredDevice,
} from '#services/compute/domain';

export interface SpecParts {
  readonly server: Server;
  readonly aim: ServerNode;
  readonly secrets: ServerSecrets;
  /** As the guest posted it, or empty. */
  readonly guestPassword: string;
  readonly ports: readonly networkV1.Port[];
  readonly devices: readonly StoredDevice[];
  /** Only until the disk is made: later it is there, or lost. */
  readonly source: ImageSource | undefined;
  /** Likewise of what the server is rescued from. */
  readonly rescueLocation: imageV1.Location | undefined;
  readonly wantedExport: computeV1.Export | undefined;
}

/** An image and where its bytes are. */
export interface ImageSource {
  readonly imageId: string;
  readonly virtualSize: number;
  readonly location: imageV1.Location;
}

/** For a server that shall be gone, which needs no more to be said. */
export const absentSpec = (aim: ServerNode): computeV1.ServerSpec =>
  computeV1.ServerSpec.fromPartial({
    serverId: aim.serverId,
    generation: aim.generation,
    fence: aim.fence,
    seq: aim.seq,
    power: 'absent',
  });

export function specOf(parts: SpecParts): computeV1.ServerSpec {
  const { server, aim, secrets } = parts;
  const { flavor } = server;
  return computeV1.ServerSpec.fromPartial({
    serverId: server.id,
    generation: aim.generation,
    fence: aim.fence,
    seq: aim.seq,
    power: aim.power,
    name: server.name,
    hostname: server.hostname,
    projectId: server.projectId,
    userId: server.userId,
    vcpus: flavor.vcpus,
    memoryMb: flavor.memoryMb,
    diskGb: flavor.diskGb,
    ...(parts.source ? { image: imageOf(parts.source) } : {}),
    ...(isRescued(server) ? { rescue: rescueOf(server.rescue, parts.rescueLocation) } : {}),
    nics: nicsOf(server, parts.ports),
    configDrive: server.configDrive,
    userData: Buffer.from(secrets.userData ?? '', 'base64'),
    metadata: { ...server.metadata },
    keys: server.keyData ? [{ name: server.keyName ?? '', type: server.keyType ?? 'ssh', data: server.keyData }] : [],
    availabilityZone: server.availabilityZone ?? '',
    adminPass: secrets.adminPass ?? '',
    flavorName: flavor.name,
    rebootCount: server.rebootCount,
    rebootKind: server.rebootKind,
    diskEpoch: server.diskEpoch,
    undo: server.undo,
    undoEpoch: server.undoEpoch,
    news: aim.news,
    guestPassword: parts.guestPassword,
    launchedAtMs: server.launchedAt?.getTime() ?? 0,
    extraSpecs: { ...flavor.extraSpecs },
    imageProperties: { ...server.image?.properties },
    files: secrets.files.map(({ path, contents }) => ({ path, contents: Buffer.from(contents, 'base64') })),
    ...(parts.wantedExport ? { export: parts.wantedExport } : {}),
    ...errandOf(parts),
    ...disksOf(parts),
  });
}

/** A disk that was made is not made anew, also where it is lost; one that comes with another flavor is still to be made. */
function disksOf({ server, devices }: SpecParts): Pick<computeV1.ServerSpec, 'rootDisk' | 'localDisks'> {
  const root = devices.find(({ kind }) => kind === 'root');
  const made = server.diskMade >= server.diskEpoch;
  const properties = server.image?.properties ?? {};
  return {
    rootDisk: root && { diskId: root.id, bus: root.bus, tag: root.tag, encrypted: root.encrypted },
    localDisks: devices
      .filter(({ kind }) => kind !== 'root')
      .map((device) => ({
        ...{ diskId: device.id, kind: device.kind, sizeMb: device.sizeMb, bus: device.bus, tag: device.tag },
        ...{ format: formatOf(device, properties), made: made && device.fromMb !== 0 },
        encrypted: device.encrypted,
      })),
  };
}

/** A password that was forgotten meanwhile is not to be changed any more. */
function errandOf({ server, aim, secrets }: SpecParts): { errand?: computeV1.Errand } {
  if (aim.errand === 'interrupt') return { errand: { kind: 'interrupt', user: '', password: '' } };
  if (aim.errand !== 'password' || secrets.newPass === null) return {};
  return { errand: { kind: 'password', user: adminUserOf(server.image), password: secrets.newPass } };
}

type Rescued = Server & { readonly rescue: RescueDisk };

/** What was left of a rescue that failed or that an administrator reset does not count. */
export const isRescued = (server: Server): server is Rescued =>
  server.rescue !== null &&
  ((server.vmState === 'rescued' && (server.taskState === null || server.taskState === 'powering-on')) ||
    server.taskState === 'rescuing');

/** An image that is gone from the image service may still be on the node. */
function rescueOf({ imageId, image, epoch }: RescueDisk, location: imageV1.Location | undefined): computeV1.Rescue {
  const { sha256, size, diskFormat } = location ?? image;
  const source = { imageId, url: location?.url ?? '', sha256, size, diskFormat, virtualSize: image.virtualSize };
  return { image: source, properties: { ...image.properties }, epoch };
}

function imageOf({ imageId, virtualSize, location }: ImageSource): computeV1.ImageSource {
  const { url, sha256, size, diskFormat } = location;
  return { imageId, url, sha256, size, diskFormat, virtualSize };
}

/** In the order in which the tenant sees them. */
function nicsOf(server: Server, ports: readonly networkV1.Port[]): computeV1.Nic[] {
  const order = new Map(server.addresses.map(({ portId, tag }, index) => [portId, { index, tag }]));
  const place = (id: string): number => order.get(id)?.index ?? order.size;
  return [...ports]
    .sort((a, b) => place(a.id) - place(b.id))
    .map((port) => ({
      portId: port.id,
      networkId: port.networkId,
      mac: port.mac,
      mtu: port.mtu,
      fixedIps: port.fixedIps.map(({ address, version, cidr, gateway, dns, routes, addressMode, floating }) => ({
        address,
        version,
        cidr,
        gateway,
        dns,
        routes,
        addressMode,
        floating,
      })),
      metadataPortId: port.metadataPortId,
      metadataMac: port.metadataMac,
      tag: order.get(port.id)?.tag ?? '',
      securityGroups: port.securityGroups.map(({ name }) => name),
    }));
}
