/**
 * Who holds which address. An address is claimed by inserting its row; the primary key decides between rivals. Where any
 * address will do, the search begins behind the last one given and ends at the first gap, so its cost does not grow with
 * what is given out already. The position is a hint of this process, nothing more.
 */
import type { Tx } from '#libs/platform/db';
import {
  type Claim,
  type FixedIp,
  formatIp,
  ipAllocated,
  LEAVING_OWNERS,
  noAddressLeft,
  type Pool,
  parseIp,
  poolsOf,
  type Subnet,
  stretchesAfter,
  subnetNotFound,
} from '#services/network/domain';

/** Rivals may take what was offered; the offer is then made again. More often than there are rivals at any time. */
const RIVALS = 1_000;
const MOST_POSITIONS = 10_000;

export interface ClaimInput {
  readonly networkId: string;
  readonly portId: string;
  readonly subnets: readonly Subnet[];
  readonly claims: readonly Claim[];
  /** The first of the ordinals that the port's addresses are kept in order by. */
  readonly from?: number;
}

export class AllocationRepo {
  private readonly positions = new Map<string, bigint>();

  /** Claims all of the addresses, or throws `IpAddressAlreadyAllocated` or `IpAddressGenerationFailure`. */
  async claim(tx: Tx, input: ClaimInput): Promise<FixedIp[]> {
    const held: FixedIp[] = [];
    for (const [index, claim] of input.claims.entries()) {
      const ordinal = (input.from ?? 0) + index;
      held.push(
        claim.kind === 'given'
          ? await this.take(tx, input, claim, ordinal)
          : await this.takeAny(tx, input, claim.subnetIds, ordinal),
      );
    }
    return held;
  }

  /** Like `claim` for one address of one subnet, but answers undefined where none is left. */
  async claimIfAny(
    tx: Tx,
    networkId: string,
    portId: string,
    subnet: Subnet,
    ordinal: number,
  ): Promise<FixedIp | undefined> {
    const address = await this.search(tx, networkId, portId, subnet, ordinal);
    return address === undefined ? undefined : { subnetId: subnet.id, address };
  }

  /** Lets go of addresses of a port. */
  async release(tx: Tx, portId: string, addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0) return;
    await tx.exec('delete from ip_allocation where port_id = $1 and address = any($2::inet[])', [portId, addresses]);
  }

  /** Lets go of the addresses in a subnet that keep nobody: those of what serves the network, and self-addressed ones. */
  async releaseImplied(tx: Tx, subnet: Subnet, auto: boolean, owners = LEAVING_OWNERS): Promise<string[]> {
    const rows = await tx.query<{ port_id: string }>(
      `delete from ip_allocation a using port p
       where a.subnet_id = $1 and p.id = a.port_id and ($2 or p.device_owner = any($3::text[]))
       returning a.port_id`,
      [subnet.id, auto, owners],
    );
    return rows.map((row) => row.port_id);
  }

  /** Puts the addresses of a port in order. */
  async order(tx: Tx, portId: string, addresses: readonly string[]): Promise<void> {
    await tx.exec(
      `update ip_allocation a set ordinal = o.n - 1 from unnest($2::inet[]) with ordinality o(address, n)
       where a.port_id = $1 and a.address = o.address`,
      [portId, addresses],
    );
  }

  /** The port of a router that holds the address on the network, if any. */
  async routerAt(tx: Tx, networkId: string, address: string): Promise<string | undefined> {
    const row = await tx.one<{ port_id: string }>(
      `select a.port_id from ip_allocation a join port p on p.id = a.port_id
       where a.network_id = $1 and a.address = $2 and p.device_owner like 'network:router%'`,
      [networkId, address],
    );
    return row?.port_id;
  }

  /** Ports with addresses of a subnet, as many as an error may name. */
  async usersOf(tx: Tx, subnetId: string): Promise<string[]> {
    const rows = await tx.query<{ port_id: string }>(
      'select distinct port_id from ip_allocation where subnet_id = $1 limit 20',
      [subnetId],
    );
    return rows.map((row) => row.port_id);
  }

  private async take(tx: Tx, input: ClaimInput, ip: FixedIp, ordinal: number): Promise<FixedIp> {
    const taken = await tx.exec(
      {
        name: 'allocation-take',
        text: `insert into ip_allocation (network_id, subnet_id, port_id, address, ordinal) values ($1, $2, $3, $4, $5)
          on conflict do nothing`,
      },
      [input.networkId, ip.subnetId, input.portId, ip.address, ordinal],
    );
    if (taken === 0) throw ipAllocated(ip.address, ip.subnetId);
    return { subnetId: ip.subnetId, address: ip.address };
  }

  private async takeAny(tx: Tx, input: ClaimInput, subnetIds: readonly string[], ordinal: number): Promise<FixedIp> {
    for (const id of subnetIds) {
      const subnet = input.subnets.find((known) => known.id === id);
      if (!subnet) throw subnetNotFound(id);
      const address = await this.search(tx, input.networkId, input.portId, subnet, ordinal);
      if (address !== undefined) return { subnetId: id, address };
    }
    throw noAddressLeft(input.networkId);
  }

  private async search(
    tx: Tx,
    networkId: string,
    portId: string,
    subnet: Subnet,
    ordinal: number,
  ): Promise<string | undefined> {
    const pools = poolsOf(subnet.version, subnet.pools);
    // Each offer that is lost is an address that a rival got, and the next begins behind what rivals were offered since.
    for (let rivals = 0; rivals < RIVALS; rivals++) {
      const stretches = stretchesAfter(pools, this.positions.get(subnet.id) ?? null);
      // A rival in this process begins behind what is offered here, instead of waiting for this transaction.
      if (stretches[0]) this.remember(subnet.id, stretches[0].first);
      const outcome = await this.offerAny(tx, [networkId, subnet.id, portId], subnet, stretches, ordinal);
      if (outcome === 'full') return undefined;
      if (outcome !== 'lost') return outcome.address;
    }
    return undefined;
  }

  /** Takes the first free address of the stretches; `lost` where a rival was faster, `full` where there is none. */
  private async offerAny(
    tx: Tx,
    ids: readonly [string, string, string],
    subnet: Subnet,
    stretches: readonly Pool[],
    ordinal: number,
  ): Promise<{ readonly address: string } | 'lost' | 'full'> {
    for (const stretch of stretches) {
      const { taken, free } = await this.offer(tx, ids, subnet, stretch, ordinal);
      if (taken !== null) {
        this.remember(subnet.id, parseIp(taken)!.value);
        return { address: taken };
      }
      if (free) return 'lost';
    }
    return 'full';
  }

  /**
   * Takes the first free address of a stretch. The index is walked from its start to the first gap and no further.
   * `free` without `taken` means that a rival was faster.
   */
  private async offer(
    tx: Tx,
    [networkId, subnetId, portId]: readonly [string, string, string],
    subnet: Subnet,
    stretch: Pool,
    ordinal: number,
  ): Promise<{ taken: string | null; free: boolean }> {
    const row = await tx.one<{ taken: string | null; free: boolean }>(
      {
        name: 'allocation-offer',
        text: `with free as (
            select case
              when not exists (select 1 from ip_allocation where network_id = $1 and address = $4::inet) then $4::inet
              else (select s.address + 1 from (
                  select address, lead(address) over (order by address) as next from ip_allocation
                  where network_id = $1 and address >= $4::inet and address <= $5::inet) s
                where s.address < $5::inet and s.next is distinct from s.address + 1 order by s.address limit 1)
              end as address),
          taken as (
            insert into ip_allocation (network_id, subnet_id, port_id, address, ordinal)
            select $1, $2, $3, free.address, $6 from free where free.address is not null
            on conflict do nothing returning address)
          select (select host(address) from taken) as taken, (select address is not null from free) as free`,
      },
      [
        networkId,
        subnetId,
        portId,
        formatIp(subnet.version, stretch.first),
        formatIp(subnet.version, stretch.last),
        ordinal,
      ],
    );
    return row ?? { taken: null, free: false };
  }

  private remember(subnetId: string, position: bigint): void {
    if (this.positions.size >= MOST_POSITIONS) this.positions.clear();
    this.positions.set(subnetId, position);
  }
}
