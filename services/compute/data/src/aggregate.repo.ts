/**
 * Aggregates and which nodes are in them. Changes take turns under one lock, for the rules about zones span aggregates; the
 * zone of a node and of the servers on it changes in the same transaction.
 */
import { fail } from '#libs/kernel';
import { isUnique, type Sql, type Tx } from '#libs/platform/db';
import { type Aggregate, ZONE_KEY } from '#services/compute/domain';

const COLUMNS = `a.number, a.id, a.name, a.metadata, a.created_at as "createdAt", a.updated_at as "updatedAt",
  (select coalesce(array_agg(h.host order by h.number), '{}') from aggregate_host h where h.aggregate = a.number) as hosts`;
const OF_HOST = {
  name: 'aggregate.of_host',
  text: `select ${COLUMNS} from aggregate a join aggregate_host m on m.aggregate = a.number where m.host = $1 order by a.number`,
};

export class AggregateRepo {
  list(on: Sql): Promise<Aggregate[]> {
    return on.query<Aggregate>(`select ${COLUMNS} from aggregate a order by a.number`);
  }

  find(on: Sql, number: number): Promise<Aggregate | undefined> {
    return on.one<Aggregate>(`select ${COLUMNS} from aggregate a where a.number = $1`, [number]);
  }

  ofHost(on: Sql, host: string): Promise<Aggregate[]> {
    return on.query<Aggregate>(OF_HOST, [host]);
  }

  /** Whoever changes aggregates holds this until its transaction ends. */
  async lock(tx: Tx): Promise<void> {
    await tx.query('select pg_advisory_xact_lock(9)');
  }

  /** Throws `conflict` for a name that is taken. */
  async insert(tx: Tx, aggregate: Omit<Aggregate, 'number' | 'hosts' | 'updatedAt'>): Promise<Aggregate> {
    const { id, name, metadata, createdAt } = aggregate;
    try {
      const row = await tx.one<{ number: number }>(
        'insert into aggregate (id, name, metadata, created_at) values ($1, $2, $3, $4) returning number',
        [id, name, JSON.stringify(metadata), createdAt],
      );
      return { ...aggregate, number: row!.number, hosts: [], updatedAt: null };
    } catch (error) {
      throw nameTaken(error, name);
    }
  }

  /** Throws `conflict` for a name that is taken. */
  async update(tx: Tx, { number, name, metadata }: Pick<Aggregate, 'number' | 'name' | 'metadata'>, now: Date) {
    try {
      await tx.exec('update aggregate set name = $2, metadata = $3, updated_at = $4 where number = $1', [
        ...[number, name, JSON.stringify(metadata), now],
      ]);
    } catch (error) {
      throw nameTaken(error, name);
    }
  }

  async remove(tx: Tx, number: number): Promise<void> {
    await tx.exec('delete from aggregate where number = $1', [number]);
  }

  /** False: it is in it already. */
  async addHost(tx: Tx, number: number, host: string): Promise<boolean> {
    const added = await tx.exec('insert into aggregate_host (aggregate, host) values ($1, $2) on conflict do nothing', [
      ...[number, host],
    ]);
    return added === 1;
  }

  /** False: it was not in it. */
  async removeHost(tx: Tx, number: number, host: string): Promise<boolean> {
    return (await tx.exec('delete from aggregate_host where aggregate = $1 and host = $2', [number, host])) === 1;
  }

  /** Zones that other aggregates give to any of the nodes. */
  async otherZones(on: Sql, number: number, hosts: readonly string[]): Promise<string[]> {
    const rows = await on.query<{ zone: string }>(
      `select distinct a.metadata ->> $3 as zone from aggregate a join aggregate_host h on h.aggregate = a.number
        where h.host = any ($2) and a.number <> $1 and a.metadata ? $3 order by 1`,
      [number, hosts, ZONE_KEY],
    );
    return rows.map(({ zone }) => zone);
  }

  /** Whether any server is on the nodes; with a zone, any that is bound to another one. */
  async occupied(on: Sql, hosts: readonly string[], zone?: string): Promise<boolean> {
    const found = await on.one(
      `select 1 from server where host = any ($1) and ($2::text is null or (pinned_zone is not null and pinned_zone <> $2)) limit 1`,
      [hosts, zone ?? null],
    );
    return found !== undefined;
  }

  /** The zone that the node enrolled with. */
  async ownZone(on: Sql, host: string): Promise<string | undefined> {
    return (await on.one<{ zone: string }>('select own_zone as zone from node where name = $1', [host]))?.zone;
  }

  /** Gives the nodes, and the servers on them, the zone that they have by now, and marks them as changed. */
  async rezone(tx: Tx, hosts: readonly string[]): Promise<void> {
    await tx.exec('update node set revision = revision + 1 where name = any ($1)', [hosts]);
    await tx.exec(
      `with zoned as (
         update node n set availability_zone = node_zone(n.name, n.own_zone)
          where n.name = any ($1) and n.availability_zone <> node_zone(n.name, n.own_zone)
          returning n.name, n.availability_zone)
       update server s set availability_zone = z.availability_zone from zoned z where s.host = z.name`,
      [hosts],
    );
  }
}

const nameTaken = (error: unknown, name: string): unknown =>
  isUnique(error, 'aggregate_name_unique') ? fail.conflict(`Aggregate ${name} already exists.`) : error;
