/**
 * What agents may ask. Each call speaks for one node, and nothing of any other is ever told: a server that is not, or no
 * longer, meant for the caller's node does not exist for it.
 */
import type { computeV1, imageV1, networkV1 } from '#libs/contract';
import { fail, isFailure, isUuid } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Implementation } from '#libs/platform/grpc';
import type { ServerNode, ServerNodeRepo, ServerPasswordRepo, SpecRepo } from '#services/compute/data';
import { ownPorts, quiesceOf, type Server, shelfOf } from '#services/compute/domain';
import type { Enrolment } from '../nodes/enrolment.js';
import type { Images, Network } from '../peers.js';
import { nodeOf } from './callers.js';
import { absentSpec, type ImageSource, isRescued, specOf } from './spec.js';

interface Deps {
  readonly db: Db;
  readonly specs: SpecRepo;
  readonly aims: ServerNodeRepo;
  readonly passwords: ServerPasswordRepo;
  readonly network: Network;
  readonly images: Images;
  readonly enrolment: Enrolment;
}

const GIB = 2 ** 30;
/** Characters. */
const MOST_PASSWORD = 1_020;
const NO_PORTS: readonly networkV1.Port[] = [];

export function nodesService(deps: Deps): Implementation<computeV1.NodesService> {
  return {
    enrol: (request, peer) => deps.enrolment.enrol(nodeOf(peer.name, request.node), request),
    getSpec: (request, peer) => specFor(deps, nodeOf(peer.name, request.node), request.serverId),
    getDiskKeys: async ({ serverId, node }, peer) => {
      const known = nodeOf(peer.name, node);
      return { keys: isUuid(serverId) ? await deps.specs.keys(deps.db, serverId, known) : {} };
    },
    listDesired: async (request, peer) => {
      const aims = await deps.aims.onNode(deps.db, nodeOf(peer.name, request.node));
      return {
        servers: aims.map(({ serverId, generation, fence, seq, power }) => ({
          serverId,
          generation,
          fence,
          seq,
          power,
        })),
      };
    },
    newsKept: async ({ serverId, node, news }, peer) => {
      const known = nodeOf(peer.name, node);
      if (isUuid(serverId)) await deps.aims.newsKept(deps.db, serverId, known, news);
      return {};
    },
    postPassword: async ({ serverId, node, password }, peer) => {
      await keepPassword(deps, nodeOf(peer.name, node), serverId, password);
      return {};
    },
  };
}

/** For a guest of that node, and only the first. */
async function keepPassword(deps: Deps, node: string, serverId: string, password: string): Promise<void> {
  const { db, aims, passwords } = deps;
  const aim = isUuid(serverId) ? await aims.find(db, serverId, node) : undefined;
  if (!aim || aim.power === 'absent') throw fail.notFound(`node ${node} has no server ${serverId}`);
  if (password === '' || password.length > MOST_PASSWORD) throw fail.invalid('the password is empty or too long');
  await db.tx(async (tx) => {
    if (!(await passwords.keep(tx, serverId, password))) throw fail.conflict('the server has a password');
    await aims.renew(tx, [serverId]);
  });
}

async function specFor(deps: Deps, node: string, serverId: string): Promise<computeV1.ServerSpec> {
  const unknown = () => fail.notFound(`node ${node} has no server ${serverId}`);
  if (!isUuid(serverId)) throw unknown();
  const source = await deps.specs.find(deps.db, serverId, node);
  if (!source) throw unknown();
  const { aim, server, secrets, guestPassword, devices } = source;
  if (aim.power === 'absent') return absentSpec(aim);
  if (!server || !secrets) throw unknown();
  const [ports, image, rescueLocation, wantedExport] = await Promise.all([
    portsOf(deps, server),
    sourceOf(deps, server, aim),
    isRescued(server) && !server.rescue.made ? locationOf(deps, server.rescue.imageId, aim) : undefined,
    exportOf(deps, server, aim),
  ]);
  return specOf({ server, aim, secrets, guestPassword, devices, ports, source: image, rescueLocation, wantedExport });
}

async function portsOf(deps: Deps, server: Server): Promise<readonly networkV1.Port[]> {
  if (!server.addresses.length && !server.nics.length) return NO_PORTS;
  const reply = await deps.network.listForServers({ serverIds: [server.id] });
  const ports = reply.servers.find((entry) => entry.serverId === server.id)?.ports ?? NO_PORTS;
  const leaving = new Set(server.nics.filter((nic) => nic.leaving).map(({ portId }) => portId));
  return ownPorts(server, ports).filter(({ id }) => !leaving.has(id));
}

/** What its disk is made of: the image, or off the shelf what lies there; nothing once the disk is made. */
async function sourceOf(deps: Deps, server: Server, aim: ServerNode): Promise<ImageSource | undefined> {
  const { image, flavor, diskMade, diskEpoch } = server;
  const shelf = shelfOf(server);
  const imageId = shelf?.imageId ?? server.imageId;
  if (diskMade >= diskEpoch || imageId === null) return undefined;
  const virtualSize = shelf && flavor.diskGb > 0 ? flavor.diskGb * GIB : (image?.virtualSize ?? 0);
  const location = await locationOf(deps, imageId, aim);
  return location && { imageId, virtualSize, location };
}

/** A signed address for this node. Asked for until a disk is made: then that is what counts, and the image may be gone. */
async function locationOf(deps: Deps, imageId: string, { node }: ServerNode): Promise<imageV1.Location | undefined> {
  try {
    return await deps.images.locate({ imageId, node });
  } catch (error) {
    if (isFailure(error, 'notFound')) return undefined;
    throw error;
  }
}

/** An image that is gone is the end of this copy, not of the server. */
async function exportOf(deps: Deps, server: Server, aim: ServerNode): Promise<computeV1.Export | undefined> {
  const { exportImageId: imageId, node } = aim;
  if (imageId === null) return undefined;
  const wanted = { imageId, uploadUrl: '', quiesce: quiesceOf(server), trouble: '' };
  try {
    const { url } = await deps.images.admit({ imageId, node });
    return { ...wanted, uploadUrl: url };
  } catch (error) {
    if (!isFailure(error, 'notFound')) throw error;
    return { ...wanted, trouble: 'the image was deleted' };
  }
}
