/** Compute nodes: enrolment and beats are written by the worker, disabling by operators. */
import type { Sql, Tx } from '#libs/platform/db';
import { callInDebts } from '#libs/platform/flow';
import type { Node, NodeBeat, NodeEnrolment } from '#services/compute/domain';

const COLUMNS = `name, hypervisor_id as "hypervisorId", number, service_id as "serviceId", hypervisor_type as "hypervisorType",
  hypervisor_version as "hypervisorVersion", accel, accel_reason as "accelReason", vcpus, memory_mb as "memoryMb",
  disk_gb as "diskGb", address, agent_grpc as "agentGrpc", agent_version as "agentVersion", cpu_info as "cpuInfo",
  availability_zone as "availabilityZone", disabled, disabled_reason as "disabledReason", forced_down as "forcedDown",
  state, state_reason as "stateReason", revision,
  free_disk_gb as "freeDiskGb", free_memory_mb as "freeMemoryMb", load_average as "loadAverage", uptime_s as "uptimeS",
  digest, trouble, highest_fence as "highestFence", enrolled_at as "enrolledAt", last_seen as "lastSeen",
  updated_at as "updatedAt", traits`;

const ENROL = {
  name: 'node.enrol',
  text: `insert into node (name, hypervisor_id, hypervisor_type, hypervisor_version, accel, accel_reason, vcpus, memory_mb,
      disk_gb, address, agent_grpc, agent_version, cpu_info, enrolled_at, last_seen, updated_at, availability_zone, own_zone,
      traits)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $14, node_zone($1, $15), $15, $16)
    on conflict (name) do update set hypervisor_id = excluded.hypervisor_id, hypervisor_type = excluded.hypervisor_type,
      hypervisor_version = excluded.hypervisor_version, accel = excluded.accel, accel_reason = excluded.accel_reason,
      vcpus = excluded.vcpus, memory_mb = excluded.memory_mb, disk_gb = excluded.disk_gb, address = excluded.address,
      agent_grpc = excluded.agent_grpc, agent_version = excluded.agent_version, cpu_info = excluded.cpu_info,
      own_zone = excluded.own_zone, availability_zone = excluded.availability_zone,
      traits = excluded.traits,
      enrolled_at = excluded.enrolled_at, last_seen = excluded.last_seen, updated_at = excluded.updated_at
    returning ${COLUMNS}`,
};
const BEAT = {
  name: 'node.beat',
  text: `update node set last_seen = greatest(last_seen, $2), free_disk_gb = $3, free_memory_mb = $4, load_average = $5,
      uptime_s = $6, digest = $7, trouble = $8, highest_fence = greatest(highest_fence, $9) where name = $1`,
};
const REMOVE = `with gone as (
    delete from node n where name = $1 and not exists (select 1 from server where host = $1)
        and (state = 'down' or not exists (
          select 1 from server_node where node = $1 and power = 'absent' and confirmed_at is null))
      returning name, hypervisor_id
  ), aims as (delete from server_node where node in (select name from gone))
  insert into gone_node (name, hypervisor_id, gone_at) select name, hypervisor_id, $2 from gone
    on conflict (name) do update set hypervisor_id = excluded.hypervisor_id, gone_at = excluded.gone_at`;
const FIND = { name: 'node.find', text: `select ${COLUMNS} from node where name = $1` };

export class NodeRepo {
  /** Makes or renews the node's row. Throws a violation of `node_hypervisor_id_key` when another node has that id. */
  async enrol(on: Sql, node: NodeEnrolment, now: Date): Promise<Node> {
    const row = await on.one<Node>(ENROL, [
      node.name,
      node.hypervisorId,
      node.hypervisorType,
      node.hypervisorVersion,
      node.accel,
      node.accelReason,
      node.vcpus,
      node.memoryMb,
      node.diskGb,
      node.address,
      node.agentGrpc,
      node.agentVersion,
      JSON.stringify(node.cpuInfo),
      now,
      node.availabilityZone,
      node.traits,
    ]);
    await this.settleGone(on, node.name);
    return row!;
  }

  /** False: no such node has enrolled. */
  async beat(on: Sql, name: string, beat: NodeBeat, now: Date): Promise<boolean> {
    const { freeDiskGb, freeMemoryMb, loadAverage, uptimeS, digest, trouble, highestFence } = beat;
    const params = [name, now, freeDiskGb, freeMemoryMb, loadAverage, uptimeS, digest, trouble, highestFence];
    return (await on.exec(BEAT, params)) === 1;
  }

  /** Any report is a sign of life. */
  async seen(on: Sql, name: string, now: Date): Promise<void> {
    await on.exec('update node set last_seen = greatest(last_seen, $2) where name = $1', [name, now]);
  }

  find(on: Sql, name: string): Promise<Node | undefined> {
    return on.one<Node>(FIND, [name]);
  }

  findByHypervisorId(on: Sql, id: string): Promise<Node | undefined> {
    return on.one<Node>(`select ${COLUMNS} from node where hypervisor_id = $1`, [id]);
  }

  findByServiceId(on: Sql, id: string): Promise<Node | undefined> {
    return on.one<Node>(`select ${COLUMNS} from node where service_id = $1`, [id]);
  }

  findByNumber(on: Sql, number: number): Promise<Node | undefined> {
    return on.one<Node>(`select ${COLUMNS} from node where number = $1`, [number]);
  }

  /** Every node in the order they first enrolled. */
  list(on: Sql): Promise<Node[]> {
    return on.query<Node>(`select ${COLUMNS} from node order by number`);
  }

  /**
   * Forgets a node and leaves word for placement. False: a server is on it, or is being cleared off it while it is up. What
   * a node that is down still had to do is done with: it is not coming back, and if it does it finds itself unknown.
   */
  async remove(tx: Tx, name: string, now: Date): Promise<boolean> {
    const gone = await tx.exec(REMOVE, [name, now]);
    if (gone === 1) await callInDebts(tx, name);
    return gone === 1;
  }

  /** Nodes that placement still has to forget. */
  async gone(on: Sql): Promise<string[]> {
    return (await on.query<{ name: string }>('select name from gone_node order by name')).map(({ name }) => name);
  }

  /** The id under which placement knew a node that is gone. */
  async goneId(on: Sql, name: string): Promise<string | undefined> {
    const row = await on.one<{ id: string }>('select hypervisor_id as id from gone_node where name = $1', [name]);
    return row?.id;
  }

  /** Placement has forgotten it, or it is back. */
  async settleGone(on: Sql, name: string): Promise<void> {
    await on.exec('delete from gone_node where name = $1', [name]);
  }

  /** The same after a small number, so many of them. */
  page(on: Sql, after: number, limit: number): Promise<Node[]> {
    return on.query<Node>(`select ${COLUMNS} from node where number > $1 order by number limit $2`, [after, limit]);
  }

  /** Nodes that are disabled or enabled by the operator take effect in placement by the worker's reconciler. */
  async setDisabled(
    on: Sql,
    name: string,
    disabled: boolean,
    reason: string | null,
    now: Date,
  ): Promise<Node | undefined> {
    return on.one<Node>(
      `update node set disabled = $2, disabled_reason = $3, updated_at = $4, revision = revision + 1 where name = $1 returning ${COLUMNS}`,
      [name, disabled, reason, now],
    );
  }

  /** Whether placement has been told of every change that operators made to these nodes. */
  async areTold(on: Sql, names: readonly string[]): Promise<boolean> {
    return (
      (await on.one('select 1 from node where name = any ($1) and told_revision < revision limit 1', [names])) ===
      undefined
    );
  }

  async setForcedDown(on: Sql, name: string, forcedDown: boolean, now: Date): Promise<Node | undefined> {
    return on.one<Node>(
      `update node set forced_down = $2, updated_at = $3, revision = revision + 1 where name = $1 returning ${COLUMNS}`,
      [name, forcedDown, now],
    );
  }
}
