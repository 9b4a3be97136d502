/**
 * A network with a way out for a project that asks for any: subnets from the default pools, and a router with its
 * gateway in the default external network. All of it is one transaction, so a project has the whole of it or nothing;
 * two who ask at once come one after the other and are told of the same network.
 */
import { isFailure } from '#libs/kernel';
import type { Tx } from '#libs/platform/db';
import {
  autoAllocationFailure,
  checkCarries,
  type Network,
  type SubnetPool,
  shapeSubnet,
} from '#services/network/domain';
import type { BooksOptions, NetworkBooks } from './books.js';

export interface AutoTopology {
  readonly networkId: string;
  /** Null where its owner has deleted the router. */
  readonly routerId: string | null;
}

export interface AutoTopologyWish {
  readonly projectId: string;
  /** Of the network. */
  readonly mtu: number;
}

interface Means {
  readonly outside: Network;
  readonly pools: readonly SubnetPool[];
}

export class AutoTopologyStore {
  constructor(
    private readonly books: NetworkBooks,
    private readonly options: Pick<BooksOptions, 'newId' | 'newMac'>,
  ) {}

  /** Throws `AutoAllocationFailure` where the cloud lacks what a topology is made of. */
  async check(): Promise<void> {
    await meansOf(this.books);
  }

  /** The project's network, made now where it has none. */
  get({ projectId, mtu }: AutoTopologyWish, now: Date): Promise<AutoTopology> {
    return this.books.within(async (books, tx) => {
      const known = await this.lock(tx, projectId);
      if (known) return known;
      const means = await meansOf(books);
      await books.groupStore.ensureDefault(projectId, now);
      const network = await this.network(books, { projectId, mtu }, means.pools, now);
      const routerId = await this.router(books, network, means.outside, now);
      await tx.exec('insert into auto_topology (project_id, network_id, router_id) values ($1, $2, $3)', [
        projectId,
        network.id,
        routerId,
      ]);
      return { networkId: network.id, routerId };
    });
  }

  /** Takes all of it away, or nothing where some of it is in use. Nothing is left to do where there is none. */
  delete(projectId: string, now: Date): Promise<void> {
    return this.books.within(async (books, tx) => {
      const known = await this.lock(tx, projectId);
      if (!known) return;
      const { networkId, routerId } = known;
      if (routerId !== null) {
        const legs = await books.routers.legs(tx, routerId);
        for (const leg of legs.filter((one) => !one.isGateway && one.networkId === networkId))
          await books.interfaceStore.remove(routerId, { subnetId: leg.subnetId }, now);
        await books.routerStore.delete(routerId, now);
      }
      await books.networkStore.delete(networkId, now);
    });
  }

  /** What the project has, which nobody else makes or deletes until the transaction ends. */
  private async lock(tx: Tx, projectId: string): Promise<AutoTopology | undefined> {
    await tx.exec(`select pg_advisory_xact_lock(hashtext('auto-topology'), hashtext($1))`, [projectId]);
    return tx.one(
      'select network_id as "networkId", router_id as "routerId" from auto_topology where project_id = $1',
      [projectId],
    );
  }

  private async network(
    books: NetworkBooks,
    { projectId, mtu }: AutoTopologyWish,
    pools: readonly SubnetPool[],
    now: Date,
  ): Promise<Network> {
    const { newId, newMac } = this.options;
    const texts = { name: 'auto_allocated_network', description: '', dnsDomain: '' };
    const place = { networkType: 'geneve', physicalNetwork: null, segmentationId: undefined, zoneHints: [] } as const;
    const flags = { adminStateUp: true, shared: false, external: false, isDefault: false, portSecurity: true };
    const metadata = { metadataPortId: newId(), metadataMac: newMac(), segmentId: newId() };
    const draft = { id: newId(), projectId, mtu, qosPolicyId: null, ...texts, ...place, ...flags, ...metadata };
    const [network] = await books.networkStore.create([draft], now);
    try {
      for (const pool of pools) await this.subnet(books, network!, pool, now);
    } catch (error) {
      throw isUnfit(error) ? autoAllocationFailure('Unable to provide tenant private network', error) : error;
    }
    return network!;
  }

  private async subnet(books: NetworkBooks, network: Network, pool: SubnetPool, now: Date): Promise<void> {
    const { id: networkId, projectId } = network;
    checkCarries(network, pool.version);
    const texts = { name: `auto_allocated_subnet_v${pool.version}`, description: '' };
    const late = async (tx: Tx) => {
      const cidr = await books.subnetPoolStore.allot(tx, { poolId: pool.id, projectId, wish: {} });
      const shape = shapeSubnet({ version: pool.version, cidr, poolId: pool.id });
      return { id: this.options.newId(), networkId, projectId, ...texts, ...shape };
    };
    await books.subnetStore.create([late], now);
  }

  private async router(books: NetworkBooks, network: Network, outside: Network, now: Date): Promise<string> {
    const { newId } = this.options;
    const id = newId();
    const subnets = await books.subnets.ofNetworks(books.db, [network.id]);
    const gateway = {
      network: outside,
      subnets: await books.subnets.ofNetworks(books.db, [outside.id]),
      snat: true,
      wishes: undefined,
      newPortId: newId(),
    };
    const texts = { name: 'auto_allocated_router', description: '' };
    const flags = { adminStateUp: true, distributed: true, ha: true, zoneHints: [], flavorId: null };
    try {
      await books.routerStore.create([{ id, projectId: network.projectId, ...texts, ...flags, gateway }], now);
      for (const subnet of subnets)
        await books.interfaceStore.addSubnet(id, { network, subnet, subnets, newPortId: newId() }, now);
    } catch (error) {
      throw isFailure(error, 'invalid')
        ? autoAllocationFailure('Unable to provide external connectivity', error)
        : error;
    }
    return id;
  }
}

/** True where the pools are not fit to give the project its subnets. */
const isUnfit = (error: unknown): boolean =>
  isFailure(error, 'invalid') ||
  isFailure(error, 'notFound') ||
  (isFailure(error) && error.type === 'SubnetAllocationError');

async function meansOf({ networks, subnetPools, db }: NetworkBooks): Promise<Means> {
  const outside = await networks.defaultOutside(db);
  if (!outside) throw autoAllocationFailure('No default router:external network');
  const pools = [await subnetPools.defaultOf(db, 4), await subnetPools.defaultOf(db, 6)].filter((pool) => !!pool);
  if (pools.length === 0) throw autoAllocationFailure('No default subnetpools defined');
  return { outside, pools };
}
