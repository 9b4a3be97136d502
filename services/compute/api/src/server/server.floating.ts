/** Floating IPs of servers: network is asked whenever they are shown, for they come and go without compute. */
import { isFailure } from '#libs/kernel';
import type { Interface } from '#services/compute/domain';
import type { Peers } from '../books.js';

export interface FloatingAddress {
  readonly portId: string;
  /** The address of the port that it stands for. */
  readonly fixedAddress: string;
  readonly address: string;
}

/** A list of servers does not wait longer for what network may say. */
const PATIENCE_MS = 500;

/** By server. Where network does not answer, servers are shown with what compute knows itself. */
export async function floatingOf(
  { network }: Peers,
  servers: readonly { readonly id: string; readonly addresses: readonly Interface[] }[],
): Promise<ReadonlyMap<string, readonly FloatingAddress[]>> {
  const serverIds = servers.filter((server) => server.addresses.length > 0).map((server) => server.id);
  if (serverIds.length === 0) return new Map();
  try {
    const { floatingIps } = await network.listFloatingIps({ serverIds }, { deadlineMs: PATIENCE_MS });
    return Map.groupBy(floatingIps, (each) => each.serverId);
  } catch (error) {
    if (isFailure(error, 'unavailable')) return new Map();
    throw error;
  }
}

/** The floating addresses that stand for one of a port's. */
export const standingFor = (
  floating: readonly FloatingAddress[],
  port: Pick<Interface, 'portId'>,
  address: string,
): string[] =>
  floating.filter((each) => each.portId === port.portId && each.fixedAddress === address).map((each) => each.address);
