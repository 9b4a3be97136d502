/**
 * What hangs on ports and must hear of it when they change or go: floating IPs, the routers whose legs they are, and compute
 * where they are a server's.
 */
import type { Tx } from '#libs/platform/db';
import { isRouterPort, METADATA_OWNER, type Port } from '#services/network/domain';
import type { FloatingIpRepo } from './floating-ip.repo.js';
import { markDirty, markSelected } from './journal.js';
import type { MetadataPorts } from './metadata-port.js';
import type { PortForwardingRepo } from './port-forwarding.repo.js';
import { devicesOf, type ServerNewsRepo } from './server-news.repo.js';

const LOCK_MANY = {
  name: 'port-lock-many',
  text: `select device_id as "deviceId", device_owner as "deviceOwner", network_id as "networkId" from port where id = any($1::uuid[])
    order by id for update`,
};

export class PortFollowers {
  constructor(
    private readonly floatingIps: FloatingIpRepo,
    private readonly forwardings: PortForwardingRepo,
    private readonly serverNews: ServerNewsRepo,
    private readonly metadata: MetadataPorts,
  ) {}

  /** Before ports go. Their locks keep others from hanging something on them meanwhile. */
  async going(tx: Tx, portIds: readonly string[], now: Date): Promise<void> {
    const found = await tx.query<Pick<Port, 'deviceId' | 'deviceOwner' | 'networkId'>>(LOCK_MANY, [portIds]);
    if (found.length === 0) return;
    await this.serverNews.tell(tx, devicesOf(found), now);
    for (const { networkId } of found.filter((port) => port.deviceOwner === METADATA_OWNER))
      await this.metadata.changed(tx, networkId, now);
    await this.release(tx, portIds, false, now);
  }

  /** After a port has changed, under its lock. */
  async changed(tx: Tx, before: Port, after: Port, now: Date): Promise<void> {
    if (isRouterPort(before) || isRouterPort(after)) {
      const routers = [before, after].filter(isRouterPort).map((port) => port.deviceId);
      await markDirty(tx, 'router', [...new Set(routers)], now);
    }
    if (shown(before) !== shown(after)) await this.serverNews.tell(tx, devicesOf([before, after]), now);
    if (addresses(before) !== addresses(after)) await this.release(tx, [after.id], true, now);
    if (before.host !== after.host)
      await markSelected(tx, 'floatingip', 'select id from floatingip where port_id = $3', [after.id], now);
  }

  /** Ends what stood for the ports, or only for addresses that they have lost. */
  private async release(tx: Tx, portIds: readonly string[], lost: boolean, now: Date): Promise<void> {
    await markDirty(tx, 'floatingip', await this.floatingIps.releasePorts(tx, portIds, now, !lost), now);
    const forwardings = await this.forwardings.ofPorts(tx, portIds, lost);
    if (forwardings.length === 0) return;
    await this.forwardings.delete(tx, forwardings, now);
    await markDirty(tx, 'port_forwarding', forwardings, now);
  }
}

/** What compute shows of a port. */
const shown = ({ deviceId, mac, fixedIps, groupIds }: Port): string =>
  JSON.stringify([deviceId, mac, fixedIps.map((ip) => [ip.subnetId, ip.address]), [...groupIds].sort()]);

const addresses = (port: Port): string =>
  port.fixedIps
    .map((ip) => ip.address)
    .sort()
    .join(' ');
