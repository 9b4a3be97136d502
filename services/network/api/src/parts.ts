/** What handlers work with. One injectable, so that each handler has one dependency. */
import type { Clock, Ids } from '#libs/kernel';
import type { NetworkBooks } from '#services/network/data';

export interface ApiSettings {
  /** The largest MTU of a network, and the one of networks that name none. */
  readonly mtu: number;
}

export class NetworkParts {
  constructor(
    readonly books: NetworkBooks,
    readonly clock: Clock,
    readonly ids: Ids,
    readonly settings: ApiSettings,
    /** An Ethernet address that no port is likely to have. */
    readonly newMac: () => string,
  ) {}

  now(): Date {
    return this.clock.now();
  }
}
