/** Everything of ours that a node is told of one server, in one statement. */
import type { Sql } from '#libs/platform/db';
import type { DesiredPower, Errand, Server, ServerSecrets, StoredDevice } from '#services/compute/domain';
import { BlockDeviceRepo, devicesOfServer } from './block-device.repo.js';
import type { Seal } from './seal.js';
import { SERVER_COLUMNS } from './server.columns.js';
import { type SealedRow, unsealed } from './server.secrets.js';
import type { ServerNode } from './server-node.repo.js';
import { purposeOfPassword } from './server-password.repo.js';

export interface SpecSource {
  readonly aim: ServerNode;
  /** Undefined where the server's row is gone, or the node only has to clear it away. */
  readonly server: Server | undefined;
  readonly secrets: ServerSecrets | undefined;
  /** As its guest posted it, or empty. */
  readonly guestPassword: string;
  /** The disks that it has now, in order. */
  readonly devices: readonly StoredDevice[];
}

interface AimColumns {
  readonly aimNode: string;
  readonly aimPower: DesiredPower;
  readonly aimFence: number;
  readonly aimSeq: number;
  readonly aimGeneration: number;
  readonly aimConfirmedAt: Date | null;
  readonly aimExportImageId: string | null;
  readonly aimErrand: Errand | null;
  readonly aimNews: number;
  readonly guestPassword: Buffer | null;
  readonly devices: readonly StoredDevice[];
}
type Row = AimColumns & SealedRow & { readonly [F in keyof Server]: Server[F] | null };

const FIND = {
  name: 'spec.find',
  text: `select n.node as "aimNode", n.power as "aimPower", n.fence as "aimFence", n.seq as "aimSeq", n.generation as "aimGeneration",
      n.confirmed_at as "aimConfirmedAt", n.export_image_id as "aimExportImageId", n.errand as "aimErrand", n.news as "aimNews", p.password as "guestPassword", s.user_data as "userData", s.admin_pass as "adminPass", s.new_pass as "newPass", s.files,
      ${devicesOfServer('s.id')} as devices, ${SERVER_COLUMNS}
    from server_node n left join server s on s.id = n.server_id and n.power <> 'absent'
      left join server_password p on p.server_id = s.id where n.server_id = $1 and n.node = $2`,
};

export class SpecRepo {
  readonly #devices: BlockDeviceRepo;

  constructor(private readonly seal: Seal) {
    this.#devices = new BlockDeviceRepo(seal);
  }

  /** Passphrases by the ids of the disks that the server has on that node. */
  keys(on: Sql, serverId: string, node: string): Promise<Record<string, string>> {
    return this.#devices.keys(on, serverId, node);
  }

  /** Undefined: the server is not meant for that node. */
  async find(on: Sql, serverId: string, node: string): Promise<SpecSource | undefined> {
    const row = await on.one<Row>(FIND, [serverId, node]);
    if (!row) return undefined;
    const aim: ServerNode = {
      serverId,
      node: row.aimNode,
      power: row.aimPower,
      fence: row.aimFence,
      seq: row.aimSeq,
      generation: row.aimGeneration,
      confirmedAt: row.aimConfirmedAt,
      exportImageId: row.aimExportImageId,
      errand: row.aimErrand,
      news: row.aimNews,
    };
    if (row.id === null) return { aim, server: undefined, secrets: undefined, guestPassword: '', devices: [] };
    const { guestPassword: box } = row;
    const guestPassword = box === null ? '' : this.seal.open(box, purposeOfPassword(serverId));
    return {
      aim,
      server: row as Server,
      secrets: unsealed(this.seal, serverId, row),
      guestPassword,
      devices: row.devices,
    };
  }
}
