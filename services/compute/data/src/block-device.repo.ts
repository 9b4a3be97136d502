/**
 * The disks of servers. While a server gets another flavor each has two sizes, of which one holds; a disk that it does not
 * have at the moment stays in the books until that is decided, for its node still has it.
 */
import { randomBytes } from 'node:crypto';
import type { Sql, Tx } from '#libs/platform/db';
import type { BlockDevice, Renewals, StoredDevice } from '#services/compute/domain';
import type { Seal } from './seal.js';

/** One server's disks as JSON, for statements that read them beside its row. */
export const devicesOfServer = (serverId: string): string => `(select coalesce(json_agg(json_build_object(
    'id', d.id, 'kind', d.kind, 'place', d.place, 'sizeMb', d.size_mb, 'fromMb', d.from_mb, 'toMb', d.to_mb,
    'byFlavor', d.by_flavor, 'format', d.format, 'bus', d.bus, 'deviceName', d.device_name, 'tag', d.tag,
    'encrypted', d.key is not null) order by d.place), '[]')
  from block_device d where d.server_id = ${serverId} and (d.kind = 'root' or d.size_mb > 0))`;

const OF_SERVER = { name: 'block_device.of_server', text: `select ${devicesOfServer('$1')} as devices` };
const INSERT = {
  name: 'block_device.insert',
  text: `insert into block_device (id, server_id, place, kind, size_mb, from_mb, to_mb, by_flavor, format, bus, device_name, tag,
      key)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
};
const SETTLE = [
  {
    name: 'block_device.drop_gone',
    text: `delete from block_device where server_id = $1 and kind <> 'root' and size_mb = 0`,
  },
  {
    name: 'block_device.settle',
    text: 'update block_device set from_mb = null, to_mb = null where server_id = $1 and to_mb is not null',
  },
] as const;
const PLAN = {
  name: 'block_device.plan',
  text: 'update block_device set from_mb = size_mb, to_mb = $3 where server_id = $1 and id = $2',
};
const BECOME = {
  from: {
    name: 'block_device.become_from',
    text: 'update block_device set size_mb = from_mb where server_id = $1 and from_mb is not null',
  },
  to: {
    name: 'block_device.become_to',
    text: 'update block_device set size_mb = to_mb where server_id = $1 and to_mb is not null',
  },
} as const;
const RENEW = {
  name: 'block_device.renew',
  text: 'update block_device set id = $3, key = $4 where server_id = $1 and id = $2',
};
/** Those that the server has now, on the node that it is meant for. */
const KEYS = {
  name: 'block_device.keys',
  text: `select d.id, d.key from block_device d join server_node n on n.server_id = d.server_id and n.node = $2
    where d.server_id = $1 and n.power <> 'absent' and d.key is not null and (d.kind = 'root' or d.size_mb > 0)`,
};

/** What a key is sealed for. */
const purposeOf = (id: string): string => `block_device/${id}/key`;
const KEY_BYTES = 32;

export class BlockDeviceRepo {
  constructor(private readonly seal: Seal) {}

  async insert(tx: Tx, serverId: string, devices: readonly BlockDevice[]): Promise<void> {
    for (const device of devices) await this.#insert(tx, serverId, { ...device, fromMb: null, toMb: null });
  }

  /** Those that the server has now, in order. */
  async of(on: Sql, serverId: string): Promise<StoredDevice[]> {
    return (await on.one<{ devices: StoredDevice[] }>(OF_SERVER, [serverId]))?.devices ?? [];
  }

  /** Writes down what the disks are to become, without changing what they are. */
  async plan(tx: Tx, serverId: string, wanted: readonly BlockDevice[]): Promise<void> {
    await this.settle(tx, serverId);
    for (const device of wanted) {
      if ((await tx.exec(PLAN, [serverId, device.id, device.sizeMb])) === 1) continue;
      await this.#insert(tx, serverId, { ...device, sizeMb: 0, fromMb: 0, toMb: device.sizeMb });
    }
  }

  /** The server has its disks as they were, or as they were planned. Where nothing is planned nothing changes. */
  async become(tx: Tx, serverId: string, side: 'from' | 'to'): Promise<void> {
    await tx.exec(BECOME[side], [serverId]);
  }

  /** What the server has now is what it has; the rest is forgotten. */
  async settle(tx: Tx, serverId: string): Promise<void> {
    for (const statement of SETTLE) await tx.exec(statement, [serverId]);
  }

  /** Those disks begin anew, encrypted or not, each with a key of its own. May be repeated. */
  async renew(tx: Tx, serverId: string, renewals: Renewals, encrypted: boolean): Promise<void> {
    for (const [before, after] of Object.entries(renewals))
      await tx.exec(RENEW, [serverId, before, after, this.#freshKey(after, encrypted)]);
  }

  /** Passphrases by the ids of the disks. For that node alone. */
  async keys(on: Sql, serverId: string, node: string): Promise<Record<string, string>> {
    const rows = await on.query<{ id: string; key: Buffer }>(KEYS, [serverId, node]);
    return Object.fromEntries(rows.map(({ id, key }) => [id, this.seal.open(key, purposeOf(id))]));
  }

  #freshKey(id: string, encrypted: boolean): Buffer | null {
    return encrypted ? this.seal.close(randomBytes(KEY_BYTES).toString('base64url'), purposeOf(id)) : null;
  }

  async #insert(tx: Tx, serverId: string, device: StoredDevice): Promise<void> {
    const { id, place, kind, sizeMb, fromMb, toMb, byFlavor, format, bus, deviceName, tag, encrypted } = device;
    const key = this.#freshKey(id, encrypted);
    const sizes = [sizeMb, fromMb, toMb];
    await tx.exec(INSERT, [id, serverId, place, kind, ...sizes, byFlavor, format, bus, deviceName, tag, key]);
  }
}
