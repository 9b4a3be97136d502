/**
 * A laboratory of packets: networks and ports through the public API, endpoints on the nodes behind them. What a lab
 * makes it removes, also after a failure; what a lab before was cut off from removing goes when the next one opens.
 */
import { until } from '../../client.js';
import { Api, type As } from './api.js';
import { type Addressing, Endpoint, type Fixed, sweepNode } from './endpoint.js';
import type {
  External,
  FloatingIp,
  GroupOptions,
  Network,
  NetworkOptions,
  Port,
  Router,
  Rule,
  Server,
  Service,
  Subnet,
} from './resources.js';
import { PREFIX, sweepCloud } from './sweep.js';

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

export class Lab {
  readonly #api: Api;
  readonly #name: string;
  readonly #undo: (() => Promise<void>)[] = [];
  readonly #endpoints = new Set<Endpoint>();
  #count = 0;

  private constructor(name: string, api: Api) {
    this.#name = `${PREFIX}${name}`;
    this.#api = api;
  }

  /** `nodes` are those that endpoints will be on. */
  static async open(name: string, nodes: readonly string[] = ['node-1', 'node-2']): Promise<Lab> {
    const api = await Api.open();
    await Promise.all(nodes.map(sweepNode));
    await sweepCloud(api);
    const lab = new Lab(name, api);
    await lab.#liftQuota();
    return lab;
  }

  get projectId(): string {
    return this.#api.projectId;
  }

  /** A call of the network API; the body's one key is taken off. Throws on any error. */
  call<T>(method: string, path: string, body?: unknown, as?: As): Promise<T> {
    return this.#api.call<T>(method, path, body, as);
  }

  /** A call of the compute API. Throws on any error. */
  compute<T>(method: string, path: string, body?: unknown, as?: As): Promise<T> {
    return this.#api.compute<T>(method, path, body, as);
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

  /** Gives the id of an image by its name. */
  imageIds(): Promise<(name: string) => string> {
    return this.#named('image', '/v2/images');
  }

  /** The nodes that run guests; simulated ones are in a zone of their own. */
  async nodes(): Promise<string[]> {
    const { services } = await this.compute<{ services: Service[] }>('GET', '/os-services', undefined, 'admin');
    return services.flatMap(({ host, zone }) => (zone === 'nova' ? [host] : []));
  }

  async stop(serverId: string): Promise<void> {
    await this.compute('POST', `/servers/${serverId}/action`, { 'os-stop': null });
    const status = async () => (await this.compute<{ server: Server }>('GET', `/servers/${serverId}`)).server.status;
    await until(`server ${serverId} to stop`, status, (now) => now === 'SHUTOFF', 60_000, 200);
  }

  async network({ subnets, ...attributes }: NetworkOptions): Promise<Network> {
    const network = await this.make<{ id: string; mtu: number }>('networks', 'network', attributes);
    const made: Subnet[] = [];
    for (const subnet of subnets) {
      const ip_version = subnet.cidr.includes(':') ? 6 : 4;
      const body = { network_id: network.id, ip_version, ...subnet };
      made.push(await this.make<Subnet>('subnets', 'subnet', body));
    }
    return { id: network.id, mtu: network.mtu, subnets: made };
  }

  /** A group with these rules alone: what the API puts into a new group is taken out. */
  async group({ rules, ...attributes }: GroupOptions): Promise<string> {
    const body = { ...attributes };
    const group = await this.make<{ id: string; security_group_rules: { id: string }[] }>(
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

  /** The network that leads out of the cloud, and where the machine is on it. */
  async external(): Promise<External> {
    const [network] = await this.call<{ id: string }[]>('GET', '/networks?router:external=true');
    const [subnet] = await this.call<Subnet[]>(
      'GET',
      `/subnets?network_id=${network!.id}&ip_version=4`,
      undefined,
      'admin',
    );
    return { networkId: network!.id, gateway: subnet!.gateway_ip! };
  }

  /** A router with a leg in each of the subnets. */
  async router(subnets: readonly Subnet[], external_gateway_info?: object, more: object = {}): Promise<Router> {
    const gateway = external_gateway_info ? { external_gateway_info } : {};
    // Some choices are an operator's.
    const body = { project_id: this.projectId, ...gateway, ...more };
    const router = await this.#made<Router>('routers', 'router', body, 'admin');
    this.#undo.push(() => this.#api.removeRouter(router.id));
    for (const { id: subnet_id } of subnets)
      await this.call('PUT', `/routers/${router.id}/add_router_interface`, { subnet_id });
    return router;
  }

  async floatingIp({ networkId }: External, port_id: string, attributes: object = {}): Promise<FloatingIp> {
    const floatingip = { floating_network_id: networkId, port_id, description: this.#name, ...attributes };
    const made = await this.call<FloatingIp>('POST', '/floatingips', { floatingip });
    this.#undo.push(() => this.#api.remove('floatingips', made.id));
    return made;
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
    return this.make<Port>('ports', 'port', body, 'admin');
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
  async make<T extends { id: string }>(collection: string, key: string, attributes: object, as?: As): Promise<T> {
    const made = await this.#made<T>(collection, key, attributes, as);
    this.#undo.push(() => this.#api.remove(collection, made.id));
    return made;
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

  #made<T>(collection: string, key: string, attributes: object, as?: As): Promise<T> {
    const body = { [key]: { name: `${this.#name}-${this.#count++}`, ...attributes } };
    return this.call<T>('POST', `/${collection}`, body, as);
  }

  async #named(type: string, path: string): Promise<(name: string) => string> {
    const { body } = await this.#api.send(type, 'GET', path);
    const list = Object.values(body).find(Array.isArray) as { id: string; name: string }[];
    return (name) => list.find((one) => one.name === name)!.id;
  }

  async #serverGone(id: string): Promise<void> {
    const path = `/servers/${id}`;
    await this.#api.send('compute', 'DELETE', path);
    const status = async () => (await this.#api.send('compute', 'GET', path)).status;
    await until(`server ${id} to be gone`, status, (code) => code === 404, 60_000, 200);
  }

  /** Matrices need many of everything; how quotas hold is tested elsewhere. */
  async #liftQuota(): Promise<void> {
    const names = ['network', 'subnet', 'port', 'security_group', 'security_group_rule', 'router', 'floatingip'];
    const quota = Object.fromEntries(names.map((name) => [name, -1]));
    await this.call('PUT', `/quotas/${this.projectId}`, { quota }, 'admin');
    this.#undo.push(() => this.call('DELETE', `/quotas/${this.projectId}`, undefined, 'admin'));
  }
}
