/** What handlers work with. One injectable, so that each handler has one dependency. */
import type { Clock, Ids } from '#libs/kernel';
import type { NetworkBooks } from '#services/network/data';
import type { Chassis } from '#services/network/domain';
import type { NetworkOptions } from './settings.js';

export interface ApiSettings {
  /** The largest MTU of a network, and the one of networks that name none. */
  readonly mtu: number;
  /** Networks outside of the cloud that nodes have bridges to. */
  readonly physicalNetworks: NetworkOptions['physicalNetworks'];
}

export class NetworkParts {
  constructor(
    readonly books: NetworkBooks,
    readonly clock: Clock,
    readonly ids: Ids,
    readonly settings: ApiSettings,
    /** An Ethernet address that no port is likely to have. */
    readonly newMac: () => string,
    /** The nodes that OVN knows now. */
    readonly chassis: () => readonly Chassis[],
    /** Has OVN forget a node; rejects while OVN can not be reached. */
    readonly forgetChassis: (name: string) => Promise<void>,
  ) {}

  now(): Date {
    return this.clock.now();
  }
}
