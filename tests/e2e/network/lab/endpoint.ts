/**
 * A port of the cloud with no guest behind it but a network namespace on a node, plugged into OVS exactly as a guest's
 * tap is. As cheap as a namespace, and every packet of it goes through the real OVN.
 */
import type { Ran } from '../../../runner/command.js';
import { namespacePath, onNode, scriptOnNode } from './node.js';
import { DHCP, PLUG, PREPARE, SWEEP, UNPLUG } from './plugging.js';
import type { Connected, Protocol, Requests } from './puppet-requests.js';
import { Puppeteer } from './puppeteer.js';
import { inject, Tap } from './wire.js';

export type Addressing = 'static' | 'dhcp' | 'none';

/** One address of the port, with what its subnet says. */
export interface Fixed {
  readonly address: string;
  readonly bits: number;
  readonly gateway: string | null;
}

export interface EndpointOptions {
  readonly node: string;
  readonly portId: string;
  readonly mac: string;
  readonly mtu: number;
  readonly fixed: readonly Fixed[];
}

/** What a DHCP client was told: the names of busybox's udhcpc. */
export type Lease = Readonly<Record<string, string>>;

const isV6 = (address: string): boolean => address.includes(':');

export const sweepNode = async (node: string): Promise<void> => void (await scriptOnNode(node, SWEEP));

export class Endpoint {
  readonly node: string;
  readonly portId: string;
  readonly mac: string;
  readonly fixed: readonly Fixed[];
  readonly namespace: string;
  #puppeteer: Puppeteer | undefined;
  #taps: Tap[] = [];
  #lease: Lease = {};

  private constructor(options: EndpointOptions) {
    this.node = options.node;
    this.portId = options.portId;
    this.mac = options.mac;
    this.fixed = options.fixed;
    this.namespace = `lab-${options.portId}`;
  }

  /** The namespace with its interface, not yet plugged. */
  static async prepare(options: EndpointOptions): Promise<Endpoint> {
    const endpoint = new Endpoint(options);
    const { node, portId, mac, mtu } = options;
    await scriptOnNode(node, PREPARE, portId, mac, String(mtu));
    return endpoint;
  }

  /** Into OVS with it; then it has its addresses, or asks for them. */
  async plug(addressing: Addressing): Promise<void> {
    await scriptOnNode(this.node, PLUG, this.portId);
    if (addressing === 'static') for (const fixed of this.fixed) await this.take(fixed);
    if (addressing === 'dhcp') await this.dhcp();
  }

  get ipv4(): string {
    return this.#first(false);
  }

  get ipv6(): string {
    return this.#first(true);
  }

  /** What DHCP said last. */
  get lease(): Lease {
    return this.#lease;
  }

  /** Runs a command in the namespace; never throws. */
  exec(command: readonly string[], timeoutMs?: number): Promise<Ran> {
    return onNode(this.node, ['ip', 'netns', 'exec', this.namespace, ...command], timeoutMs);
  }

  /** Runs a command in the namespace and expects success. */
  async must(...command: string[]): Promise<string> {
    const { code, output } = await this.exec(command);
    if (code !== 0) throw new Error(`${this.namespace} on ${this.node}: ${command.join(' ')}: ${output}`);
    return output;
  }

  /** Gives the interface an address, as a guest with a mind of its own could. */
  async take({ address, bits, gateway }: Fixed): Promise<void> {
    const six = isV6(address);
    await this.must('ip', 'addr', 'add', `${address}/${bits}`, 'dev', 'eth0', ...(six ? ['nodad'] : []));
    if (gateway)
      await this.must('ip', ...(six ? ['-6'] : []), 'route', 'replace', 'default', 'via', gateway, 'dev', 'eth0');
  }

  /** A real client asks; throws when it gets no lease. */
  async dhcp(): Promise<Lease> {
    const said = await scriptOnNode(this.node, DHCP, this.namespace);
    this.#lease = Object.fromEntries(
      [...said.matchAll(/^([a-z][a-z0-9]*)='(.*)'$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    return this.#lease;
  }

  /** Whether any of `count` echo requests is answered. */
  async ping(
    address: string,
    { count = 3, everyMs = 200, waitMs = 1_000, size = 56, whole = false } = {},
  ): Promise<boolean> {
    const pace = ['-c', String(count), '-i', String(everyMs / 1000), '-W', String(waitMs / 1000), '-s', String(size)];
    const { output } = await this.exec(['ping', '-n', ...pace, ...(whole ? ['-M', 'do'] : []), address]);
    return / [1-9][0-9]* received/.test(output);
  }

  /** Those of the addresses that answer an echo request. */
  async pings(addresses: readonly string[]): Promise<Set<string>> {
    const script = 'for a; do { ping -n -c 2 -i 0.2 -W 1 "$a" >/dev/null && echo "$a"; } & done; wait';
    const { output } = await this.exec(['sh', '-c', script, 'pings', ...addresses]);
    return new Set(output.split('\n').filter((line) => addresses.includes(line)));
  }

  async listen(protocol: Protocol, port: number, sink = false): Promise<void> {
    await this.ask('listen', { protocol, port, sink });
  }

  /** Says something and waits for it to come back. */
  connect(protocol: Protocol, host: string, port: number, timeoutMs = 3_000): Promise<Connected> {
    return this.ask('connect', { protocol, host, port, timeoutMs });
  }

  ask<K extends keyof Requests>(what: K, input: Requests[K][0]): Promise<Requests[K][1]> {
    this.#puppeteer ??= new Puppeteer(namespacePath(this.node, this.namespace));
    return this.#puppeteer.ask(what, input);
  }

  /** Puts frames on the wire as they are. */
  inject(...frames: Buffer[]): Promise<void> {
    return inject(this.node, this.namespace, frames);
  }

  /** Everything that arrives from now on. */
  async tap(): Promise<Tap> {
    const tap = await Tap.open(this.node, this.namespace);
    this.#taps.push(tap);
    return tap;
  }

  async unplug(): Promise<void> {
    await Promise.all(this.#taps.map((tap) => tap.close()));
    this.#taps = [];
    await this.#puppeteer?.end();
    this.#puppeteer = undefined;
    await scriptOnNode(this.node, UNPLUG, this.portId);
  }

  #first(six: boolean): string {
    const found = this.fixed.find(({ address }) => isV6(address) === six);
    if (!found) throw new Error(`port ${this.portId} has no address of IPv${six ? 6 : 4}`);
    return found.address;
  }
}
