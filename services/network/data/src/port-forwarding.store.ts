/** What clients do with port forwardings, each as one transaction under the lock of the floating IP. */
import { type Db, isViolation, type Tx } from '#libs/platform/db';
import {
  badPortForwarding,
  type FloatingIp,
  type Forwarding,
  floatingIpForwards,
  floatingIpNotFound,
  forwardedAddress,
  forwardingNotFound,
  type PortForwarding,
  portHasFloatingIp,
  portNotFound,
} from '#services/network/domain';
import type { FloatingIpRepo } from './floating-ip.repo.js';
import { markAndRecord } from './journal.js';
import type { PortRepo } from './port.repo.js';
import { isForwardedTwice, type PortForwardingRepo } from './port-forwarding.repo.js';

/** A forwarding whose address may be left to be chosen. */
export type WantedForwarding = Omit<Forwarding, 'internalAddress'> & { readonly internalAddress: string | undefined };

export class PortForwardingStore {
  constructor(
    private readonly db: Db,
    private readonly forwardings: PortForwardingRepo,
    private readonly floatingIps: FloatingIpRepo,
    private readonly ports: PortRepo,
  ) {}

  create(floatingIpId: string, id: string, wanted: WantedForwarding, now: Date): Promise<PortForwarding> {
    return this.changing(floatingIpId, id, 'port forwarding created', now, wanted, async (tx, floating) => {
      if (floating.portId !== null) throw floatingIpForwards(floatingIpId);
      const forwarding = await this.led(tx, floating, wanted, now);
      await this.forwardings.insert(tx, { ...forwarding, id, floatingIpId }, now);
    });
  }

  /** `decide` sees the forwarding as it is, and says what it shall be. */
  update(
    floatingIpId: string,
    id: string,
    decide: (before: PortForwarding) => WantedForwarding,
    now: Date,
  ): Promise<PortForwarding> {
    return this.changing(floatingIpId, id, 'port forwarding updated', now, undefined, async (tx, floating) => {
      const before = await this.forwardings.find(tx, floatingIpId, id);
      if (!before) throw forwardingNotFound(id);
      await this.forwardings.update(tx, id, await this.led(tx, floating, decide(before), now), now);
    });
  }

  async delete(floatingIpId: string, id: string, now: Date): Promise<void> {
    await this.db.tx(async (tx) => {
      const floating = await this.floatingIps.lock(tx, floatingIpId);
      if (!floating || !(await this.forwardings.find(tx, floatingIpId, id))) throw forwardingNotFound(id);
      await this.forwardings.delete(tx, [id], now);
      await tell(tx, floating, id, 'port forwarding deleted', now);
    });
  }

  private async changing(
    floatingIpId: string,
    id: string,
    what: string,
    now: Date,
    wanted: WantedForwarding | undefined,
    work: (tx: Tx, floating: FloatingIp) => Promise<void>,
  ): Promise<PortForwarding> {
    try {
      return await this.db.tx(async (tx) => {
        const floating = await this.floatingIps.lock(tx, floatingIpId);
        if (!floating) throw floatingIpNotFound(floatingIpId);
        await work(tx, floating);
        await tell(tx, floating, id, what, now);
        return (await this.forwardings.find(tx, floatingIpId, id))!;
      });
    } catch (error) {
      if (isForwardedTwice(error))
        throw badPortForwarding('A port forwarding with some of the same ports already exists');
      if (wanted && isViolation(error, 'foreignKey', 'port_forwarding_port')) throw portNotFound(wanted.portId);
      throw error;
    }
  }

  /** The way to the host: by the router that the floating IP is on, or the one that it then will be on. */
  private async led(tx: Tx, floating: FloatingIp, wanted: WantedForwarding, now: Date): Promise<Forwarding> {
    const port = await this.ports.find(tx, wanted.portId);
    if (!port) throw portNotFound(wanted.portId);
    const [bound] = await this.floatingIps.ofPorts(tx, [port.id]);
    if (bound) throw portHasFloatingIp(port.id, bound.address, bound.id);
    const own = port.fixedIps.map((ip) => ip.address);
    const internalAddress = forwardedAddress(port.id, own, wanted.internalAddress);
    const { subnetId } = port.fixedIps.find((ip) => ip.address === internalAddress)!;
    const routerId = await this.floatingIps.routerBetween(tx, subnetId, floating.networkId);
    if (routerId === undefined)
      throw badPortForwarding(`External network ${floating.networkId} is not reachable from subnet ${subnetId}`);
    if (floating.routerId !== null && floating.routerId !== routerId)
      throw badPortForwarding(`Floating IP ${floating.id} forwards ports by another router already`);
    if (floating.routerId === null) await this.floatingIps.setRouter(tx, floating.id, routerId, now);
    return { ...wanted, internalAddress };
  }
}

const tell = (tx: Tx, floating: FloatingIp, id: string, what: string, now: Date): Promise<void> =>
  markAndRecord(tx, 'port_forwarding', [id], [{ resourceId: floating.id, what, related: [id] }], now);
