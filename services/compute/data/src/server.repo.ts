/**
 * Servers in PostgreSQL. vm_state, task_state and the desired power change through `move` alone, which is one
 * compare-and-set from server.machine.ts; `patch` writes what is no state. Quota usage changes with the row, in the same
 * transaction.
 */

import type { Sql, Tx } from '#libs/platform/db';
import type {
  DesiredPower,
  Fault,
  FlavorSnapshot,
  ImageSnapshot,
  Interface,
  Move,
  MoveName,
  Nic,
  RebootKind,
  RescueDisk,
  Resize,
  SecurityGroup,
  Server,
  ServerSecrets,
  Undo,
} from '#services/compute/domain';
import { MOVES } from '#services/compute/domain';
import { BlockDeviceRepo } from './block-device.repo.js';
import type { Seal } from './seal.js';
import { SERVER_COLUMNS } from './server.columns.js';
import { insertServer, type NewServer } from './server.insert.js';
import { openSecrets, openUserData, sealedColumns } from './server.secrets.js';

/** What a write may change besides states. Absent fields stay. */
export interface ServerPatch {
  readonly name?: string;
  readonly hostname?: string;
  readonly description?: string | null;
  readonly host?: string | null;
  readonly hypervisorId?: string | null;
  readonly availabilityZone?: string | null;
  readonly pinnedZone?: string | null;
  readonly powerState?: number;
  readonly fence?: number;
  readonly seq?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly systemMetadata?: Readonly<Record<string, string>>;
  readonly nics?: readonly Nic[];
  readonly addresses?: readonly Interface[];
  readonly securityGroups?: readonly SecurityGroup[];
  readonly tags?: readonly string[];
  readonly accessIpV4?: string;
  readonly accessIpV6?: string;
  readonly diskConfig?: 'AUTO' | 'MANUAL';
  readonly lockedBy?: 'owner' | 'admin' | null;
  readonly lockedReason?: string | null;
  readonly fault?: Fault | null;
  readonly launchedAt?: Date;
  readonly imageId?: string | null;
  readonly image?: ImageSnapshot | null;
  readonly rescue?: RescueDisk | null;
  readonly resize?: Resize | null;
  readonly undo?: Undo;
  readonly flavor?: FlavorSnapshot;
  readonly flavorId?: string;
  readonly keyName?: string | null;
  readonly keyType?: string | null;
  readonly keyData?: string | null;
  /** Sealed as they are written. */
  readonly secrets?: Partial<ServerSecrets>;
  /** The password and the injected files are in the guest: forget them. */
  readonly forgetBootSecrets?: boolean;
  /** Raises the count that asks the node for a reboot. */
  readonly reboot?: RebootKind;
  /** The disks as they are from now on are another state to keep. */
  readonly newUndo?: true;
  /** Asks the node for a new root disk. */
  readonly newDisk?: true;
  /** The node has the root disk that was asked for: from now on it is not made anew, also where it is lost. */
  readonly diskMade?: true;
}

/** What a move left behind, for the inputs of tasks and commands. */
export interface Moved {
  readonly generation: number;
  readonly rebootCount: number;
  readonly power: DesiredPower;
}

/** What a node is to hold of one server. */
export interface DesiredServer {
  readonly id: string;
  readonly generation: number;
  readonly fence: number;
  readonly seq: number;
  readonly power: DesiredPower;
}

const PATCH_COLUMNS = {
  name: 'name',
  hostname: 'hostname',
  description: 'description',
  host: 'host',
  hypervisorId: 'hypervisor_id',
  availabilityZone: 'availability_zone',
  pinnedZone: 'pinned_zone',
  powerState: 'power_state',
  fence: 'fence',
  seq: 'seq',
  metadata: 'metadata',
  systemMetadata: 'system_metadata',
  nics: 'nics',
  addresses: 'addresses',
  securityGroups: 'security_groups',
  tags: 'tags',
  accessIpV4: 'access_ip_v4',
  accessIpV6: 'access_ip_v6',
  diskConfig: 'disk_config',
  lockedBy: 'locked_by',
  lockedReason: 'locked_reason',
  fault: 'fault',
  launchedAt: 'launched_at',
  imageId: 'image_id',
  image: 'image',
  rescue: 'rescue',
  resize: 'resize',
  undo: 'undo',
  flavor: 'flavor',
  flavorId: 'flavor_id',
  keyName: 'key_name',
  keyType: 'key_type',
  keyData: 'key_data',
} as const satisfies Partial<Record<keyof ServerPatch, string>>;
const JSON_FIELDS: ReadonlySet<string> = new Set([
  'metadata',
  'systemMetadata',
  'nics',
  'addresses',
  'securityGroups',
  'fault',
  'image',
  'rescue',
  'resize',
  'flavor',
]);

const FIND = { name: 'server.find', text: `select ${SERVER_COLUMNS} from server s where s.id = $1` };
const FIND_DELETED = {
  name: 'server.find_deleted',
  text: `select ${SERVER_COLUMNS} from deleted_server s where s.id = $1`,
};
const LOCK = { name: 'server.lock', text: `select ${SERVER_COLUMNS} from server s where s.id = $1 for update` };
const COUNTS = { name: 'server.counts', text: 'select cores, ram from server where id = $1 for update' };
const FREE = {
  name: 'server.free',
  text: `update quota_usage q set cores = q.cores - $2::bigint + s.cores, ram = q.ram - $3::bigint + s.ram
    from server s where s.id = $1 and q.project_id = s.project_id`,
};
const WAITING = {
  name: 'server.waiting_resizes',
  text: `select ${SERVER_COLUMNS} from server s
    where s.vm_state = 'resized' and s.task_state is null and (s.resize->>'at')::timestamptz <= $1 limit 100`,
};
const ON_NODE = {
  name: 'server.on_node',
  text: 'select id, generation, fence, seq, power from server where host = $1 order by id',
};

export class ServerRepo {
  readonly devices: BlockDeviceRepo;

  constructor(private readonly seal: Seal) {
    this.devices = new BlockDeviceRepo(seal);
  }

  /** With its disks. */
  async insert(tx: Tx, server: NewServer, now: Date): Promise<void> {
    await insertServer(tx, this.seal, server, now);
    await this.devices.insert(tx, server.id, server.devices);
  }

  find(on: Sql, id: string): Promise<Server | undefined> {
    return on.one<Server>(FIND, [id]);
  }

  findMany(on: Sql, ids: readonly string[]): Promise<Server[]> {
    return on.query<Server>(`select ${SERVER_COLUMNS} from server s where s.id = any ($1)`, [ids]);
  }

  findDeleted(on: Sql, id: string): Promise<Server | undefined> {
    return on.one<Server>(FIND_DELETED, [id]);
  }

  /** Holds the row until the transaction ends. */
  lock(tx: Tx, id: string): Promise<Server | undefined> {
    return tx.one<Server>(LOCK, [id]);
  }

  /** What was sealed. For specs alone. */
  async secrets(on: Sql, id: string): Promise<ServerSecrets | undefined> {
    return openSecrets(on, this.seal, id);
  }

  /** User data by server, base64 as sent. For administrators alone. */
  userData(on: Sql, ids: readonly string[]): Promise<Map<string, string>> {
    return openUserData(on, this.seal, ids);
  }

  /** Every server that is on a node, or was sent there. */
  onNode(on: Sql, node: string): Promise<DesiredServer[]> {
    return on.query<DesiredServer>(ON_NODE, [node]);
  }

  /** One compare-and-set. Undefined: the server is not in a state from which the move is legal, or is gone. */
  async move(on: Sql, id: string, name: MoveName, now: Date, patch: ServerPatch = {}): Promise<Moved | undefined> {
    const move: Move = MOVES[name];
    const write = this.#assignments(id, patch, [id, now, move.from, move.task.filter((task) => task !== null)]);
    const sets = ['updated_at = $2', ...write.sets, `task_state = ${literal(move.toTask)}`];
    if (move.to) sets.push(`vm_state = ${literal(move.to)}`);
    if (move.power) sets.push(`power = ${literal(move.power)}`, 'generation = generation + 1');
    const idle = move.task.includes(null) ? ' or task_state is null' : '';
    return on.one<Moved>(
      `update server set ${sets.join(', ')} where id = $1 and vm_state = any ($3) and (task_state = any ($4)${idle})
        returning generation, reboot_count as "rebootCount", power`,
      write.params,
    );
  }

  /** What the server counts for in its project's quota. Holds the row. */
  async counts(tx: Tx, id: string): Promise<{ readonly cores: number; readonly ram: number }> {
    return (await tx.one<{ cores: number; ram: number }>(COUNTS, [id])) ?? { cores: 0, ram: 0 };
  }

  /** As `move`, where the server may count for less after it: its project has the difference back. */
  async moveAndFree(tx: Tx, id: string, name: MoveName, now: Date, patch: ServerPatch): Promise<Moved | undefined> {
    const before = await this.counts(tx, id);
    const moved = await this.move(tx, id, name, now, patch);
    if (moved) await tx.exec(FREE, [id, before.cores, before.ram]);
    return moved;
  }

  /** Servers whose resize has waited for a decision since before that time. */
  waitingResizes(on: Sql, before: Date): Promise<Server[]> {
    return on.query<Server>(WAITING, [before]);
  }

  /** Writes what is no state. False: it is gone. */
  async patch(on: Sql, id: string, patch: ServerPatch, now: Date): Promise<boolean> {
    const write = this.#assignments(id, patch, [id, now]);
    return (
      (await on.exec(
        `update server set ${['updated_at = $2', ...write.sets].join(', ')} where id = $1`,
        write.params,
      )) === 1
    );
  }

  #assignments(id: string, patch: ServerPatch, given: readonly unknown[]): { sets: string[]; params: unknown[] } {
    const write = assignments(patch, given);
    for (const [column, box] of sealedColumns(this.seal, id, patch.secrets ?? {}))
      write.sets.push(`${column} = $${write.params.push(box)}`);
    return write;
  }

  /** The last step of a delete: the row leaves the hot table and gives its quota back. False: it had left already. */
  async bury(tx: Tx, id: string, now: Date): Promise<boolean> {
    return (await tx.exec(BURY, [id, now])) === 1;
  }

  /** Forgets servers that were deleted before that time. */
  purge(on: Sql, before: Date): Promise<number> {
    return on.exec('delete from deleted_server where updated_at < $1', [before]);
  }
}

const COLUMN_NAMES = `id, project_id, user_id, name, hostname, description, power_state, generation, reboot_count, reboot_kind,
  disk_epoch, disk_made, rescue, resize, undo, undo_epoch,
  fence, seq, host, hypervisor_id, availability_zone, pinned_zone, image_id, image, flavor, flavor_id, key_name, key_type,
  key_data, metadata, system_metadata, config_drive, nics, addresses, security_groups, tags, scheduler_hints, access_ip_v4,
  access_ip_v6, disk_config, locked_by, locked_reason, fault, reservation_id, launch_index, created_at, launched_at`;

const BURY = {
  name: 'server.bury',
  text: `with gone as (delete from server where id = $1 returning *),
    report as (delete from server_report where server_id = $1),
    freed as (
      update quota_usage q set instances = q.instances - 1, cores = q.cores - gone.cores, ram = q.ram - gone.ram
        from gone where q.project_id = gone.project_id)
    insert into deleted_server (${COLUMN_NAMES}, vm_state, task_state, power, updated_at, terminated_at)
      select ${COLUMN_NAMES}, 'deleted', null, 'absent', $2, $2 from gone`,
};

/** Words of our own tables as SQL literals. */
const literal = (word: string | null): string => (word === null ? 'null' : `'${word}'`);

function assignments(patch: ServerPatch, given: readonly unknown[]): { sets: string[]; params: unknown[] } {
  const params = [...given];
  const sets: string[] = [];
  for (const [field, column] of Object.entries(PATCH_COLUMNS)) {
    const value = patch[field as keyof typeof PATCH_COLUMNS];
    if (value === undefined) continue;
    params.push(JSON_FIELDS.has(field) && value !== null ? JSON.stringify(value) : value);
    sets.push(`${column} = $${params.length}`);
  }
  if (patch.forgetBootSecrets) sets.push('admin_pass = null', 'files = null');
  if (patch.newUndo) sets.push('undo_epoch = undo_epoch + 1');
  if (patch.newDisk) sets.push('disk_epoch = disk_epoch + 1');
  if (patch.diskMade) sets.push('disk_made = disk_epoch');
  if (patch.reboot) sets.push('reboot_count = reboot_count + 1', `reboot_kind = ${literal(patch.reboot)}`);
  return { sets, params };
}
