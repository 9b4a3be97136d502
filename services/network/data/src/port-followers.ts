/** What hangs on ports and must hear of it when they change or go: floating IPs, and the routers whose legs they are. */
import type { Tx } from '#libs/platform/db';
import { isRouterPort, type Port } from '#services/network/domain';
import type { FloatingIpRepo } from './floating-ip.repo.js';
import { markDirty, markSelected } from './journal.js';

export class PortFollowers {
  constructor(private readonly floatingIps: FloatingIpRepo) {}

  /** Before ports go. Their locks keep others from hanging something on them meanwhile. */
  async going(tx: Tx, portIds: readonly string[], now: Date): Promise<void> {
    const found = await tx.query(
      { name: 'port-lock-many', text: 'select id from port where id = any($1::uuid[]) order by id for update' },
      [portIds],
    );
    if (found.length === 0) return;
    await markDirty(tx, 'floatingip', await this.floatingIps.releasePorts(tx, portIds, now), now);
  }

  /** After a port has changed, under its lock. */
  async changed(tx: Tx, before: Port, after: Port, now: Date): Promise<void> {
    if (isRouterPort(before) || isRouterPort(after)) {
      const routers = [before, after].filter(isRouterPort).map((port) => port.deviceId);
      await markDirty(tx, 'router', [...new Set(routers)], now);
    }
    if (addresses(before) !== addresses(after)) {
      const released = await this.floatingIps.releasePorts(tx, [after.id], now, false);
      await markDirty(tx, 'floatingip', released, now);
    }
    if (before.host !== after.host)
      await markSelected(tx, 'floatingip', 'select id from floatingip where port_id = $3', [after.id], now);
  }
}

const addresses = (port: Port): string =>
  port.fixedIps
    .map((ip) => ip.address)
    .sort()
    .join(' ');
