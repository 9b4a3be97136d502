/**
 * The metadata service on each network that has a guest here: a network namespace with a veth into OVS, plugged as the
 * network's metadata port, and sockets listening in it at 169.254.169.254 and fe80::a9fe:a9fe. Who asks is known by
 * where the connection came from, the network by its socket and the server by its address; no header counts. Guests of
 * one network can not reach the sockets of another, since these live in other namespaces.
 */
import { readdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import { fail } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { Run } from '../exec/run.js';
import type { Ovs } from '../ovs/ovs.js';
import type { ServerSpec } from './documents.js';
import { listenIn } from './listen.js';
import {
  DEVICE,
  forgetNeighbours,
  METADATA_ADDRESS,
  METADATA_ADDRESS_6,
  makeNamespace,
  NAMESPACE,
  namespaceOf,
  removeNamespace,
  writeNeighbours,
} from './namespace.js';
import { type MetadataNetwork, metadataNetworks, whoIs } from './networks.js';
import type { PasswordPost } from './password.js';
import { metadataServer } from './server.js';

export interface MetadataOptions {
  readonly run: Run;
  readonly ovs: Ovs;
  readonly log: Log;
  readonly secret: string;
  readonly enabled: boolean;
}

/** A network that is served: what its namespace was made from, who was written down in it, who listens. */
interface Served {
  readonly shape: string;
  readonly neighbours: Map<string, string>;
  readonly servers: readonly Server[];
}

const unavailable = (networkId: string) => (cause: unknown) => {
  throw fail.unavailable(`metadata can not be served on network ${networkId}`, { cause });
};

function close(servers: readonly Server[]): void {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
}

export class MetadataPlane {
  readonly #options: MetadataOptions;
  readonly #served = new Map<string, Served>();
  #specs: () => readonly ServerSpec[] = () => [];
  #post: PasswordPost = () => Promise.reject(fail.unavailable('the node is starting'));
  /** Changes to namespaces one after the other. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: MetadataOptions, specs: () => readonly ServerSpec[]) {
    this.#options = options;
    this.#specs = specs;
  }

  /** Serves the networks of the servers that are here already; trouble with one of them is logged. */
  async start(specs: readonly ServerSpec[], post: PasswordPost): Promise<void> {
    this.#post = post;
    await Promise.all(
      specs.map((spec) =>
        this.plug(spec).catch((error: unknown) =>
          this.#options.log.warn({ err: error, serverId: spec.serverId }, 'no metadata for a server'),
        ),
      ),
    );
    await this.keepOnly(specs);
  }

  async stop(): Promise<void> {
    await this.#queue;
    for (const { servers } of this.#served.values()) close(servers);
    this.#served.clear();
  }

  owns(device: string): boolean {
    return device.startsWith(DEVICE);
  }

  /** Makes metadata answer on every network of the server. */
  plug(spec: ServerSpec): Promise<void> {
    const wanted = [...metadataNetworks([spec]).keys()];
    if (!this.#options.enabled || !wanted.length) return Promise.resolve();
    return this.#serially(async () => {
      const others = this.#specs().filter(({ serverId }) => serverId !== spec.serverId);
      const networks = metadataNetworks([...others, spec]);
      for (const networkId of wanted) await this.#ensure(networks.get(networkId)!).catch(unavailable(networkId));
    });
  }

  /** Takes down the networks that none of these servers is on. Trouble is logged: it harms nobody. */
  keepOnly(specs: readonly ServerSpec[]): Promise<void> {
    if (!this.#options.enabled) return Promise.resolve();
    return this.#serially(async () => {
      const wanted = metadataNetworks(specs);
      for (const name of await readdir('/run/netns').catch((): string[] => [])) {
        const networkId = name.slice(NAMESPACE.length);
        if (name.startsWith(NAMESPACE) && !wanted.has(networkId)) await this.#drop(networkId);
      }
      for (const [networkId, { neighbours }] of this.#served)
        await writeNeighbours(this.#options.run, networkId, wanted.get(networkId)?.neighbours ?? [], neighbours);
    }).catch((error: unknown) => this.#options.log.warn({ err: error }, 'a metadata namespace could not be removed'));
  }

  #serially(work: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #ensure({ neighbours, ...network }: MetadataNetwork): Promise<void> {
    const { networkId } = network;
    const { run, ovs, log } = this.#options;
    const shape = JSON.stringify(network);
    const before = this.#served.get(networkId);
    if (before?.shape !== shape) await makeNamespace(run, ovs, { ...network, neighbours });
    if (!before) await forgetNeighbours(run, networkId);
    const known = before?.neighbours ?? new Map<string, string>();
    await writeNeighbours(run, networkId, neighbours, known);
    const servers = before?.servers ?? (await this.#listen(networkId));
    this.#served.set(networkId, { shape, neighbours: known, servers });
    if (!before) log.info({ networkId }, 'metadata is served on a network');
  }

  /** A host without IPv6 answers over IPv4 alone. */
  async #listen(networkId: string): Promise<Server[]> {
    const { log } = this.#options;
    const [four, six] = [this.#serverOf(networkId), this.#serverOf(networkId)];
    await listenIn(namespaceOf(networkId), METADATA_ADDRESS, 80, four);
    await listenIn(namespaceOf(networkId), `${METADATA_ADDRESS_6}%eth0`, 80, six).catch((error: unknown) =>
      log.warn({ err: error, networkId }, 'metadata is not served over IPv6'),
    );
    return [four, six];
  }

  #serverOf(networkId: string): Server {
    const { log, secret } = this.#options;
    return metadataServer({
      ...{ log, secret, networkId },
      whoIs: (address) => whoIs(this.#specs(), networkId, address),
      post: (serverId, password) => this.#post(serverId, password),
    });
  }

  async #drop(networkId: string): Promise<void> {
    close(this.#served.get(networkId)?.servers ?? []);
    this.#served.delete(networkId);
    await removeNamespace(this.#options.run, this.#options.ovs, networkId);
    this.#options.log.info({ networkId }, 'metadata is no longer served on a network');
  }
}
