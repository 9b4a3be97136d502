/**
 * The metadata service on each network that has a guest here: a network namespace with a veth into OVS, plugged as the
 * network's metadata port, and a socket listening in it at 169.254.169.254. Who asks is known by where the connection
 * came from, the network by its socket and the server by its address; no header counts. Guests of one network can not
 * reach the sockets of another, since these live in other namespaces.
 */
import { readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { fail, privateMessage } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import type { Run } from '../exec/run.js';
import type { Ovs } from '../ovs/ovs.js';
import { answer, NOTHING } from './answers.js';
import type { ServerSpec } from './documents.js';
import { listenIn } from './listen.js';

export const METADATA_ADDRESS = '169.254.169.254';

/** One network as far as metadata goes. */
export interface MetadataNetwork {
  readonly networkId: string;
  readonly portId: string;
  readonly mac: string;
  readonly mtu: number;
  /** Subnets whose guests are answered. */
  readonly cidrs: readonly string[];
}

export interface MetadataOptions {
  readonly run: Run;
  readonly ovs: Ovs;
  readonly log: Log;
  readonly secret: string;
  readonly enabled: boolean;
}

/** The networks with metadata that these servers are on. Pure. */
export function metadataNetworks(specs: readonly ServerSpec[]): Map<string, MetadataNetwork> {
  const networks = new Map<string, MetadataNetwork>();
  for (const nic of specs.flatMap((spec) => spec.nics)) {
    if (!nic.metadataPortId) continue;
    const known = networks.get(nic.networkId);
    const cidrs = nic.fixedIps.filter((ip) => ip.version !== 6).map((ip) => ip.cidr);
    networks.set(nic.networkId, {
      networkId: nic.networkId,
      portId: nic.metadataPortId,
      mac: nic.metadataMac,
      mtu: nic.mtu,
      cidrs: [...new Set([...(known?.cidrs ?? []), ...cidrs])].sort(),
    });
  }
  return networks;
}

/** The server with that address on that network. Pure. */
export function whoIs(specs: readonly ServerSpec[], networkId: string, address: string): ServerSpec | undefined {
  const plain = address.replace(/^::ffff:/, '');
  return specs.find((spec) =>
    spec.nics.some((nic) => nic.networkId === networkId && nic.fixedIps.some((ip) => ip.address === plain)),
  );
}

const NAMESPACE = 'meta-';
const DEVICE = 'ym';
export const namespaceOf = (networkId: string): string => `${NAMESPACE}${networkId}`;
const deviceOf = (networkId: string): string => `${DEVICE}${networkId.slice(0, 11)}`;

const unavailable = (networkId: string) => (cause: unknown) => {
  throw fail.unavailable(`metadata can not be served on network ${networkId}`, { cause });
};

const works = (command: Promise<unknown>): Promise<boolean> =>
  command.then(
    () => true,
    () => false,
  );

export class MetadataPlane {
  readonly #options: MetadataOptions;
  readonly #servers = new Map<string, Server>();
  readonly #plugged = new Map<string, string>();
  #specs: () => readonly ServerSpec[] = () => [];
  /** Changes to namespaces one after the other. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: MetadataOptions, specs: () => readonly ServerSpec[]) {
    this.#options = options;
    this.#specs = specs;
  }

  /** Serves the networks of the servers that are here already; trouble with one of them is logged. */
  async start(specs: readonly ServerSpec[]): Promise<void> {
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
    for (const server of this.#servers.values()) {
      server.close();
      server.closeAllConnections();
    }
    this.#servers.clear();
  }

  owns(device: string): boolean {
    return device.startsWith(DEVICE);
  }

  /** Makes metadata answer on every network of the server. */
  plug(spec: ServerSpec): Promise<void> {
    const wanted = [...metadataNetworks([spec]).keys()];
    if (!this.#options.enabled || !wanted.length) return Promise.resolve();
    return this.#serially(async () => {
      const networks = metadataNetworks([spec, ...this.#specs()]);
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
    }).catch((error: unknown) => this.#options.log.warn({ err: error }, 'a metadata namespace could not be removed'));
  }

  #serially(work: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #ensure(network: MetadataNetwork): Promise<void> {
    const { networkId } = network;
    const shape = JSON.stringify(network);
    if (this.#plugged.get(networkId) === shape && this.#servers.has(networkId)) return;
    await this.#makeNamespace(network);
    this.#plugged.set(networkId, shape);
    if (this.#servers.has(networkId)) return;
    const server = this.#serverOf(networkId);
    await listenIn(namespaceOf(networkId), METADATA_ADDRESS, 80, server);
    this.#servers.set(networkId, server);
    this.#options.log.info({ networkId }, 'metadata is served on a network');
  }

  async #makeNamespace(network: MetadataNetwork): Promise<void> {
    const { run, ovs } = this.#options;
    const namespace = namespaceOf(network.networkId);
    const device = deviceOf(network.networkId);
    const ip = (...args: string[]) => run('ip', args);
    const inside = (...args: string[]) => run('ip', ['-n', namespace, ...args]);
    if (!(await works(inside('link', 'show', 'dev', 'lo')))) {
      // The name may be left from before the machine's last start.
      await works(ip('netns', 'delete', namespace));
      await ip('netns', 'add', namespace);
    }
    if (!(await works(inside('link', 'show', 'dev', 'eth0')))) {
      await works(ip('link', 'del', device));
      await ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    }
    const mtu = String(network.mtu || 1442);
    await inside('link', 'set', 'dev', 'eth0', 'address', network.mac, 'mtu', mtu, 'up');
    await inside('link', 'set', 'dev', 'lo', 'up');
    await inside('addr', 'replace', `${METADATA_ADDRESS}/32`, 'dev', 'eth0');
    for (const cidr of network.cidrs) await inside('route', 'replace', cidr, 'dev', 'eth0', 'src', METADATA_ADDRESS);
    await ip('link', 'set', 'dev', device, 'mtu', mtu, 'up');
    await ovs.plug(device, network.portId);
  }

  async #drop(networkId: string): Promise<void> {
    const server = this.#servers.get(networkId);
    server?.close();
    server?.closeAllConnections();
    this.#servers.delete(networkId);
    this.#plugged.delete(networkId);
    const device = deviceOf(networkId);
    await this.#options.ovs.remove([device]);
    await this.#options.run('ip', ['link', 'del', device]).catch(() => undefined);
    await this.#options.run('ip', ['netns', 'delete', namespaceOf(networkId)]);
    this.#options.log.info({ networkId }, 'metadata is no longer served on a network');
  }

  #serverOf(networkId: string): Server {
    const limits = {
      maxHeaderSize: 8_192,
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 1_000,
      connectionsCheckingInterval: 2_000,
    };
    const server = createServer(limits, (request, response) => {
      request.resume();
      try {
        const spec = whoIs(this.#specs(), networkId, request.socket.remoteAddress ?? '');
        const path = (request.url ?? '/').split('?')[0] ?? '/';
        const found =
          spec && (request.method === 'GET' || request.method === 'HEAD') ? answer(spec, path, this.#options) : NOTHING;
        response.writeHead(found.status, {
          'content-type': found.type,
          'content-length': Buffer.byteLength(found.body),
        });
        response.end(request.method === 'HEAD' ? undefined : found.body);
      } catch (error) {
        this.#options.log.warn({ err: privateMessage(error), networkId }, 'a metadata request failed');
        response.destroy();
      }
    });
    server.maxConnections = 128;
    return server;
  }
}
