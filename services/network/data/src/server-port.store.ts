/**
 * The ports of servers, as compute asks for them. Every call carries (fence, seq): an overtaken one is refused, a
 * repeated one is answered as before, and what a call does commits together with the record that it was done.
 */
import { isFailure } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { networkNotFound, portInUse, portNotFound } from '#services/network/domain';
import { type FenceRepo, type Pair, replay, storedFailure } from './fence.repo.js';
import { record } from './journal.js';
import type { NetworkRepo } from './network.repo.js';
import type { PortOnNetwork } from './port.listing.js';
import type { PortRepo } from './port.repo.js';
import { type Attempt, draftFailure, type PortDraft, type PortStore } from './port.store.js';
import type { SubnetRepo } from './subnet.repo.js';

export interface WantedNic {
  readonly portId: string;
  /** A port of the tenant's that is taken as it is, instead of one to be made. */
  readonly adopt: boolean;
  readonly networkId: string;
  readonly fixedIp: string | undefined;
}

export interface WantedPorts {
  readonly projectId: string;
  readonly host: string;
  readonly hostname: string;
  readonly availabilityZone: string;
  readonly groupIds: readonly string[];
  readonly nics: readonly WantedNic[];
}

export class ServerPortStore {
  constructor(
    private readonly db: Db,
    private readonly fences: FenceRepo,
    private readonly networks: NetworkRepo,
    private readonly subnets: SubnetRepo,
    private readonly ports: PortRepo,
    private readonly store: PortStore,
  ) {}

  /** Makes the ports that are missing and adopts those that the tenant brings; gives the ids in order. */
  ensure(pair: Pair, wanted: WantedPorts, now: Date): Promise<string[]> {
    const attempt = { networkId: wanted.nics[0]?.networkId ?? '', groupIds: wanted.groupIds };
    return this.fenced(pair, 'ensure', now, attempt, async (tx) => {
      const drafts: PortDraft[] = [];
      for (const nic of wanted.nics) {
        const port = await this.ports.lock(tx, nic.portId);
        if (port) await this.adopt(tx, pair.serverId, port, nic, wanted, now);
        else if (nic.adopt) throw portNotFound(nic.portId);
        else drafts.push(await this.draft(tx, pair.serverId, nic, wanted));
      }
      await this.store.createIn(tx, drafts, now);
      return wanted.nics.map((nic) => nic.portId);
    });
  }

  /** Binds all of the server's ports to a node; an empty node unbinds them. */
  bind(pair: Pair, host: string, now: Date): Promise<string[]> {
    return this.fenced(pair, 'bind', now, undefined, async (tx) => {
      const ports = await this.ports.ofDevices(tx, [pair.serverId]);
      for (const port of ports) if (port.host !== host) await this.store.updateIn(tx, port, { host }, [], now);
      return ports.map((port) => port.id);
    });
  }

  /** Deletes the ports that were made for the server and frees those that the tenant brought: all, or those named. */
  release(pair: Pair, now: Date, only: readonly string[] = []): Promise<string[]> {
    return this.fenced(pair, 'release', now, undefined, async (tx) => {
      const all = await this.ports.ofDevices(tx, [pair.serverId]);
      const ports = only.length > 0 ? all.filter((port) => only.includes(port.id)) : all;
      // A port that a tenant made into a trunk outlives the server for which it was made.
      const own = ports.filter((port) => port.ownedByServer && !port.trunk);
      if (own.length > 0)
        await this.store.deleteIn(
          tx,
          own.map((port) => port.id),
          now,
        );
      const free = { deviceId: '', deviceOwner: '', host: '', hostname: '', ownedByServer: false };
      for (const port of ports) if (!own.includes(port)) await this.store.updateIn(tx, port, free, [], now);
      return ports.map((port) => port.id);
    });
  }

  private async fenced(
    pair: Pair,
    call: string,
    now: Date,
    attempt: Attempt | undefined,
    body: (tx: Tx) => Promise<string[]>,
  ): Promise<string[]> {
    try {
      return await this.db.tx(async (tx) => {
        const standing = await this.fences.admit(tx, pair, call);
        if (standing.kind === 'same') return replay<string[]>(standing.result);
        const reply = await body(tx);
        await this.fences.keep(tx, pair, call, { reply }, now);
        await record(tx, [{ resourceId: pair.serverId, what: `${call} ports`, detail: at(pair), related: reply }], now);
        return reply;
      });
    } catch (error) {
      const failure = draftFailure(error, attempt);
      if (isFailure(failure) && failure.kind !== 'fenced' && failure.kind !== 'unavailable') {
        await this.keepFailure(pair, call, failure, now);
      }
      throw failure;
    }
  }

  /** A refusal is an answer too: the pair counts as seen, so that no older call comes after it. */
  private async keepFailure(
    pair: Pair,
    call: string,
    failure: Parameters<typeof storedFailure>[0],
    now: Date,
  ): Promise<void> {
    await this.db.tx(async (tx) => {
      const standing = await this.fences.admit(tx, pair, call);
      if (standing.kind === 'same') return;
      await this.fences.keep(tx, pair, call, storedFailure(failure), now);
      await record(
        tx,
        [
          {
            resourceId: pair.serverId,
            what: `${call} ports`,
            outcome: 'refused',
            detail: `${at(pair)}: ${failure.message}`,
          },
        ],
        now,
      );
    });
  }

  /** Also takes a port that an earlier call made for this server. Whether the tenant may bring it was checked before. */
  private async adopt(
    tx: Tx,
    serverId: string,
    port: PortOnNetwork,
    nic: WantedNic,
    wanted: WantedPorts,
    now: Date,
  ): Promise<void> {
    const free = port.deviceId === '' && !isSubport(port) && nic.adopt;
    if (!free && port.deviceId !== serverId) throw portInUse(port.id, port.networkId, port.deviceId);
    const { host, hostname } = wanted;
    await this.store.updateIn(tx, port, { deviceId: serverId, deviceOwner: ownerIn(wanted), host, hostname }, [], now);
  }

  private async draft(tx: Tx, serverId: string, nic: WantedNic, wanted: WantedPorts): Promise<PortDraft> {
    const network = await this.networks.find(tx, nic.networkId);
    if (!network) throw networkNotFound(nic.networkId);
    return {
      id: nic.portId,
      networkId: network.id,
      projectId: wanted.projectId,
      name: '',
      description: '',
      mac: undefined,
      adminStateUp: true,
      deviceId: serverId,
      deviceOwner: ownerIn(wanted),
      host: wanted.host,
      vnicType: 'normal',
      profile: {},
      portSecurity: network.portSecurity,
      addressPairs: [],
      hostname: wanted.hostname,
      ownedByServer: true,
      wishes: nic.fixedIp === undefined ? undefined : [{ address: nic.fixedIp }],
      groupIds: network.portSecurity ? wanted.groupIds : [],
      qosPolicyId: null,
      networkProjectId: network.projectId,
      networkQosPolicyId: network.qosPolicyId,
      networkDnsDomain: network.dnsDomain,
      subnets: await this.subnets.ofNetworks(tx, [network.id]),
    };
  }
}

const ownerIn = (wanted: WantedPorts): string => `compute:${wanted.availabilityZone || 'nova'}`;
/** A subport has no wire of its own that a server could be given. */
const isSubport = ({ trunk }: PortOnNetwork): boolean => trunk !== null && trunk.vlan !== null;
const at = (pair: Pair): string => `fence ${pair.fence}.${pair.seq}`;
