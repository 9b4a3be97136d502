/**
 * A laboratory of packets: networks and ports through the public API, endpoints on the nodes behind them. What a lab
 * makes it removes, also after a failure; what a lab before was cut off from removing goes when the next one opens.
 */
import { type Answer, loginTo, type Session } from '../../../runner/cloud-client.js';
import { STATE, until } from '../../client.js';
import { type Addressing, Endpoint, type Fixed, sweepNode } from './endpoint.js';
import type { GroupOptions, Network, NetworkOptions, Port, Rule, Server, Subnet } from './resources.js';

export interface EndpointRequest {
  readonly network: Network;
  /** The first node unless told. */
  readonly node?: string;
  /** Ids; the project's default group unless told. */
  readonly groups?: readonly string[];
  readonly addressing?: Addressing;
  /** More attributes of the port, as the API calls them. */
  readonly port?: Readonly<Record<string, unknown>>;
}

const PREFIX = 'lab-';
const COMPUTE_VERSION = { 'OpenStack-API-Version': 'compute 2.37' };

export class Lab {
  readonly #demo: Session;
  readonly #admin: Session;
  readonly #name: string;
  readonly #undo: (() => Promise<void>)[] = [];
  readonly #endpoints = new Set<Endpoint>();
  #count = 0;

  private constructor(name: string, demo: Session, admin: Session) {
    this.#name = `${PREFIX}${name}`;
    this.#demo = demo;
    this.#admin = admin;
  }

  /** `nodes` are those that endpoints will be on. */
  static async open(name: string, nodes: readonly string[] = ['node-1', 'node-2']): Promise<Lab> {
    const lab = new Lab(name, await loginTo(STATE, 'yagura-demo'), await loginTo(STATE, 'yagura-admin'));
    await Promise.all(nodes.map(sweepNode));
    await lab.#sweep();
    await lab.#liftQuota();
    return lab;
  }

  get projectId(): string {
    return this.#demo.projectId;
  }

  /** A call of the network API as the tenant; the body's one key is taken off. Throws on any error. */
  async call<T>(method: string, path: string, body?: unknown, as: 'demo' | 'admin' = 'demo'): Promise<T> {
    const session = as === 'admin' ? this.#admin : this.#demo;
    const answer = await this.#send(session, method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return (method === 'DELETE' ? undefined : Object.values(answer.body)[0]) as T;
  }

  /** A server of the tenant's that is ACTIVE; it goes with the lab. */
  async server(attributes: object): Promise<Server> {
    const [image, flavor] = await Promise.all([this.#named('image', '/v2/images'), this.#named('compute', '/flavors')]);
    const ids = { imageRef: image('tiny'), flavorRef: flavor('m1.nano') };
    const body = { server: { name: `${this.#name}-${this.#count++}`, ...ids, ...attributes } };
    const { id } = (await this.compute<{ server: Server }>('POST', '/servers', body)).server;
    this.#undo.push(() => this.#serverGone(id));
    const shown = async () =>
      (await this.compute<{ server: Server }>('GET', `/servers/${id}`, undefined, 'admin')).server;
    return until(`server ${id} to be ACTIVE`, shown, (server) => server.status === 'ACTIVE', 120_000, 300);
  }

  async stop(serverId: string): Promise<void> {
    await this.compute('POST', `/servers/${serverId}/action`, { 'os-stop': null });
    const status = async () => (await this.compute<{ server: Server }>('GET', `/servers/${serverId}`)).server.status;
    await until(`server ${serverId} to stop`, status, (now) => now === 'SHUTOFF', 60_000, 200);
  }

  /** A call of the compute API. Throws on any error. */
  async compute<T>(method: string, path: string, body?: unknown, as: 'demo' | 'admin' = 'demo'): Promise<T> {
    const session = as === 'admin' ? this.#admin : this.#demo;
    const answer = await session.call<T>(method, `${session.endpoint('compute')}${path}`, body, COMPUTE_VERSION);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async network({ subnets, ...attributes }: NetworkOptions): Promise<Network> {
    const network = await this.#make<{ id: string; mtu: number }>('networks', 'network', attributes);
    const made: Subnet[] = [];
    for (const subnet of subnets) {
      const ip_version = subnet.cidr.includes(':') ? 6 : 4;
      const body = { network_id: network.id, ip_version, ...subnet };
      made.push(await this.#make<Subnet>('subnets', 'subnet', body));
    }
    return { id: network.id, mtu: network.mtu, subnets: made };
  }

  /** A group with these rules alone: what the API puts into a new group is taken out. */
  async group({ rules, ...attributes }: GroupOptions): Promise<string> {
    const body = { ...attributes };
    const group = await this.#make<{ id: string; security_group_rules: { id: string }[] }>(
      'security-groups',
      'security_group',
      body,
    );
    for (const { id } of group.security_group_rules) await this.call('DELETE', `/security-group-rules/${id}`);
    for (const rule of rules) await this.rule(group.id, rule);
    return group.id;
  }

  async rule(groupId: string, rule: Rule): Promise<string> {
    const ethertype = rule.remote_ip_prefix?.includes(':') ? 'IPv6' : 'IPv4';
    const security_group_rule = { security_group_id: groupId, ethertype, ...rule };
    return (await this.call<{ id: string }>('POST', '/security-group-rules', { security_group_rule })).id;
  }

  /** A port of the tenant's that an operator has bound to the node. */
  async port({ network, node = 'node-1', groups, port }: EndpointRequest): Promise<Port> {
    const body = {
      network_id: network.id,
      project_id: this.projectId,
      device_owner: 'compute:lab',
      device_id: this.#name,
      'binding:host_id': node,
      ...(groups ? { security_groups: groups } : {}),
      ...port,
    };
    return this.#make<Port>('ports', 'port', body, 'admin');
  }

  /** An endpoint whose port is in force. */
  async endpoint(request: EndpointRequest): Promise<Endpoint> {
    const endpoint = await this.prepare(request);
    await endpoint.plug(request.addressing ?? 'static');
    await this.active(endpoint.portId);
    return endpoint;
  }

  /** An endpoint that is there, but not plugged. */
  async prepare(request: EndpointRequest): Promise<Endpoint> {
    return this.behind(request, await this.port(request));
  }

  /** An endpoint, not yet plugged, behind a port that is there already. */
  async behind({ network, node = 'node-1' }: EndpointRequest, port: Port): Promise<Endpoint> {
    const fixed = port.fixed_ips.map(({ subnet_id, ip_address }): Fixed => {
      const subnet = network.subnets.find(({ id }) => id === subnet_id)!;
      return { address: ip_address, bits: Number(subnet.cidr.split('/')[1]), gateway: subnet.gateway_ip };
    });
    const endpoint = await Endpoint.prepare({ node, portId: port.id, mac: port.mac_address, mtu: network.mtu, fixed });
    this.#endpoints.add(endpoint);
    return endpoint;
  }

  async unplug(endpoint: Endpoint): Promise<void> {
    this.#endpoints.delete(endpoint);
    await endpoint.unplug();
  }

  async active(portId: string): Promise<void> {
    const status = async () => (await this.call<Port>('GET', `/ports/${portId}`)).status;
    await until(`port ${portId} to be ACTIVE`, status, (now) => now === 'ACTIVE', 20_000, 30);
  }

  /** Makes anything; it goes with the lab, newest first. */
  make<T extends { id: string }>(collection: string, key: string, attributes: object, as?: 'admin'): Promise<T> {
    return this.#make<T>(collection, key, attributes, as);
  }

  /** Has something done when the lab closes. */
  afterwards(undo: () => Promise<void>): void {
    this.#undo.push(undo);
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    const noted = (work: Promise<void>) => work.catch((error: unknown) => void failures.push(error));
    await Promise.all([...this.#endpoints].map((endpoint) => noted(endpoint.unplug())));
    this.#endpoints.clear();
    for (const undo of this.#undo.splice(0).reverse()) await noted(undo());
    if (failures.length) throw new AggregateError(failures, `the lab ${this.#name} left something behind`);
  }

  async #make<T extends { id: string }>(
    collection: string,
    key: string,
    attributes: object,
    as: 'demo' | 'admin' = 'demo',
  ) {
    const body = { [key]: { name: `${this.#name}-${this.#count++}`, ...attributes } };
    const made = await this.call<T>('POST', `/${collection}`, body, as);
    this.#undo.push(() => this.#remove(collection, made.id));
    return made;
  }

  async #remove(collection: string, id: string): Promise<void> {
    const answer = await this.#send(this.#admin, 'DELETE', `/${collection}/${id}`);
    if (answer.status >= 300 && answer.status !== 404)
      throw new Error(`${collection} ${id} stays: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async #named(type: string, path: string): Promise<(name: string) => string> {
    const { body } = await this.#demo.call<Record<string, unknown>>('GET', `${this.#demo.endpoint(type)}${path}`);
    const list = Object.values(body).find(Array.isArray) as { id: string; name: string }[];
    return (name) => list.find((one) => one.name === name)!.id;
  }

  async #serverGone(id: string): Promise<void> {
    const url = `${this.#demo.endpoint('compute')}/servers/${id}`;
    await this.#demo.call('DELETE', url);
    const status = async () => (await this.#demo.call('GET', url)).status;
    await until(`server ${id} to be gone`, status, (code) => code === 404, 60_000, 200);
  }

  /** What labs before left: by their names, in an order that the API accepts. */
  async #sweep(): Promise<void> {
    for (const collection of ['trunks', 'ports', 'subnets', 'networks', 'security-groups', 'qos/policies']) {
      const all = await this.call<{ id: string; name: string }[]>('GET', `/${collection}`);
      for (const { id, name } of all) if (name.startsWith(PREFIX)) await this.#remove(collection, id);
    }
  }

  /** Matrices need many of everything; how quotas hold is tested elsewhere. */
  async #liftQuota(): Promise<void> {
    const quota = { network: -1, subnet: -1, port: -1, security_group: -1, security_group_rule: -1 };
    await this.call('PUT', `/quotas/${this.projectId}`, { quota }, 'admin');
    this.#undo.push(() => this.call('DELETE', `/quotas/${this.projectId}`, undefined, 'admin'));
  }

  #send(session: Session, method: string, path: string, body?: unknown): Promise<Answer<Record<string, unknown>>> {
    return session.call(method, `${session.endpoint('network')}/v2.0${path}`, body);
  }
}
