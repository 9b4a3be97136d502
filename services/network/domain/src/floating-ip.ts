/** Floating IPs: an address of an external network that stands for one of a port's. */
import { parseIp } from './address.js';
import type { Port, Standard } from './model.js';
import { badFloatingIp } from './router-faults.js';

export interface FloatingTarget {
  readonly routerId: string;
  readonly portId: string;
  readonly address: string;
}

export interface FloatingIp extends Standard {
  readonly id: string;
  readonly projectId: string;
  readonly description: string;
  /** The external network that the address is of. */
  readonly networkId: string;
  /** The port that holds the address. */
  readonly ownPortId: string;
  readonly address: string;
  /** Also set where only some of its ports are forwarded. */
  readonly routerId: string | null;
  readonly portId: string | null;
  readonly fixedAddress: string | null;
  readonly dnsName: string;
  readonly dnsDomain: string;
  readonly qosPolicyId: string | null;
  /** Of its network: in force where it has none of its own. */
  readonly networkQosPolicyId: string | null;
  /** Whether OVN translates it now. */
  readonly status: 'ACTIVE' | 'DOWN';
}

/** The IPv4 address of the port that a floating IP shall stand for. Throws where there is none, or no telling which. */
export function chosenAddress(port: Pick<Port, 'id' | 'fixedIps'>, wish: string | undefined): string {
  const own = port.fixedIps.filter((ip) => parseIp(ip.address)?.version === 4).map((ip) => ip.address);
  if (wish !== undefined) {
    if (own.includes(wish)) return wish;
    throw badFloatingIp(`Port ${port.id} does not have fixed ip ${wish}`);
  }
  if (own.length > 1)
    throw badFloatingIp(
      `Port ${port.id} has multiple fixed IPv4 addresses. Must provide a specific IPv4 address when assigning a floating IP`,
    );
  if (own[0] === undefined)
    throw badFloatingIp(`Cannot add floating IP to port ${port.id} that has no fixed IPv4 addresses`);
  return own[0];
}
