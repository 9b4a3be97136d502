/** Network as far as the flows meet it: the ports of each server, with fences kept beyond release. */
import { networkV1 } from '#libs/contract';
import { fail } from '#libs/kernel';
import { FencedReceiver } from '#libs/testing';
import type { Network } from '../peers.js';

interface Plugged {
  readonly portIds: readonly string[];
  readonly host: string;
}

export class FakeNetwork implements Network {
  readonly plugged = new FencedReceiver<Plugged>();
  readonly #gone = new Set<string>();

  async ensureForServer(request: networkV1.EnsureForServerRequest): Promise<networkV1.ServerPorts> {
    const { serverId, fence, seq, nics, host } = request;
    const before = this.plugged.get(serverId)?.portIds ?? [];
    const portIds = [...new Set([...before, ...nics.map((nic) => nic.portId)])];
    this.plugged.set(serverId, { fence, n: seq }, { portIds, host });
    return this.#portsOf(serverId);
  }

  async bind({ serverId, host, fence, seq }: networkV1.BindRequest): Promise<networkV1.ServerPorts> {
    const known = this.plugged.get(serverId);
    if (!known) throw fail.notFound('no ports');
    this.plugged.set(serverId, { fence, n: seq }, { ...known, host });
    return this.#portsOf(serverId);
  }

  async releaseForServer({ serverId, fence, seq, portIds: only }: networkV1.ReleaseForServerRequest): Promise<object> {
    const known = this.plugged.get(serverId);
    const left = only.length ? known?.portIds.filter((id) => !only.includes(id)) : undefined;
    this.plugged.set(serverId, { fence, n: seq }, known && left ? { ...known, portIds: left } : undefined);
    return {};
  }

  async listForServers({ serverIds }: networkV1.ListForServersRequest): Promise<networkV1.ListForServersReply> {
    return { servers: serverIds.filter((id) => this.plugged.get(id)).map((id) => this.#portsOf(id)) };
  }

  /** Somebody deletes a port of the server. */
  lose(serverId: string, portId: string): void {
    const known = this.plugged.get(serverId)!;
    this.#gone.add(portId);
    if (!known.portIds.includes(portId)) throw new Error('the server has no such port');
  }

  /** Where the server's ports are bound. */
  hostOf(serverId: string): string | undefined {
    return this.plugged.get(serverId)?.host;
  }

  #portsOf(serverId: string): networkV1.ServerPorts {
    const { portIds, host } = this.plugged.get(serverId)!;
    const left = portIds.filter((id) => !this.#gone.has(id));
    const ports = left.map((id) =>
      networkV1.Port.fromPartial({
        id,
        networkId: '11111111-1111-4111-8111-111111111111',
        networkName: 'demo',
        mac: 'fa:16:3e:00:00:01',
        mtu: 1442,
        host,
        fixedIps: [{ subnetId: 's', address: '10.0.0.5', version: 4, cidr: '10.0.0.0/24', gateway: '10.0.0.1' }],
        securityGroups: [{ id: 'g', name: 'default' }],
      }),
    );
    return { serverId, ports };
  }
}
