/**
 * The port of a network behind which metadata answers. It is made with the network; where its owner has deleted it, the
 * next subnet that is served makes it anew.
 */
import type { Tx } from '#libs/platform/db';
import { METADATA_OWNER, metadataDevice } from '#services/network/domain';
import { markDirty, markPortsWithOptions, markSelected } from './journal.js';
import type { PortOnNetwork } from './port.listing.js';
import type { PortRepo } from './port.repo.js';
import type { ServerNewsRepo } from './server-news.repo.js';

export interface NewMetadataPort {
  readonly id: string;
  readonly networkId: string;
  readonly mac: string;
}

/** Leaves a network that has one as it is. */
export async function insertMetadataPort(tx: Tx, port: NewMetadataPort, now: Date): Promise<void> {
  await tx.exec(
    `insert into port (id, network_id, project_id, name, description, mac, admin_state_up, device_id, device_owner,
       status, host, vnic_type, profile, port_security, address_pairs, hostname, owned_by_server, created_at, updated_at)
     values ($1, $2, '', '', '', $3, true, $4, $5, 'DOWN', '', 'normal', '{}', false, '[]', '', false, $6, $6)
     on conflict do nothing`,
    [port.id, port.networkId, port.mac, metadataDevice(port.networkId), METADATA_OWNER, now],
  );
}

export interface MetadataPortSource {
  readonly newId: () => string;
  readonly newMac: () => string;
}

export class MetadataPorts {
  constructor(
    private readonly ports: PortRepo,
    private readonly news: ServerNewsRepo,
    private readonly source: MetadataPortSource,
  ) {}

  /** The network's, made now where it has none. Undefined only where its MAC is in use there. */
  async of(tx: Tx, networkId: string, now: Date): Promise<PortOnNetwork | undefined> {
    const [known] = await this.ports.metadataOf(tx, [networkId]);
    if (known) return known;
    await insertMetadataPort(tx, { id: this.source.newId(), networkId, mac: this.source.newMac() }, now);
    const [made] = await this.ports.metadataOf(tx, [networkId]);
    if (!made) return undefined;
    await markDirty(tx, 'port', [made.id], now);
    await this.changed(tx, networkId, now);
    return made;
  }

  /** What names the port and must know that it goes or is another: answers of DHCP, and nodes with guests there. */
  async changed(tx: Tx, networkId: string, now: Date): Promise<void> {
    await markSelected(tx, 'subnet', 'select s.id from subnet s where s.network_id = $3', [networkId], now);
    await markPortsWithOptions(tx, networkId, now);
    await this.news.tellOfNetwork(tx, networkId, now);
  }
}
