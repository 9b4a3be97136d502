/** New servers, one statement each; their quota is taken in the same transaction by the caller. */
import type { Sql } from '#libs/platform/db';
import type { BlockDevice, Server } from '#services/compute/domain';
import type { Seal } from './seal.js';
import { type BootSecrets, sealSecrets } from './server.secrets.js';

/** What the api decides about a server; everything else begins as the table's defaults say. */
export type NewServer = Pick<
  Server,
  | 'id'
  | 'projectId'
  | 'userId'
  | 'name'
  | 'hostname'
  | 'description'
  | 'availabilityZone'
  | 'pinnedZone'
  | 'imageId'
  | 'image'
  | 'flavor'
  | 'flavorId'
  | 'keyName'
  | 'keyType'
  | 'keyData'
  | 'metadata'
  | 'configDrive'
  | 'nics'
  | 'securityGroups'
  | 'tags'
  | 'groupId'
  | 'schedulerHints'
  | 'accessIpV4'
  | 'accessIpV6'
  | 'diskConfig'
  | 'reservationId'
  | 'launchIndex'
> & { readonly secrets: BootSecrets; readonly devices: readonly BlockDevice[] };

const INSERT = {
  name: 'server.insert',
  text: `insert into server (id, project_id, user_id, name, hostname, description, vm_state, task_state, power, availability_zone,
      pinned_zone, image_id, image, flavor, flavor_id, key_name, key_type, key_data, metadata, config_drive, nics,
      security_groups, tags, scheduler_hints, access_ip_v4, access_ip_v6, disk_config, reservation_id, launch_index,
      user_data, admin_pass, files, created_at, updated_at, group_id)
    values ($1, $2, $3, $4, $5, $6, 'building', 'scheduling', 'running', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
      $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $30, $31)`,
};

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

export async function insertServer(on: Sql, seal: Seal, server: NewServer, now: Date): Promise<void> {
  const sealed = sealSecrets(seal, server.id, server.secrets);
  await on.exec(INSERT, [
    server.id,
    server.projectId,
    server.userId,
    server.name,
    server.hostname,
    server.description,
    server.availabilityZone,
    server.pinnedZone,
    server.imageId,
    json(server.image),
    json(server.flavor),
    server.flavorId,
    server.keyName,
    server.keyType,
    server.keyData,
    json(server.metadata),
    server.configDrive,
    json(server.nics),
    json(server.securityGroups),
    server.tags,
    json(server.schedulerHints),
    server.accessIpV4,
    server.accessIpV6,
    server.diskConfig,
    server.reservationId,
    server.launchIndex,
    sealed.userData,
    sealed.adminPass,
    sealed.files,
    now,
    server.groupId,
  ]);
}
