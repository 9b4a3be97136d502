/** Networks, subnets, routers and floating IPs through the API, and what OVN has of them: for integration tests. */
import { expect } from 'vitest';
import type { Answer, Testbed } from './testbed.fixture.js';

export type Row = Record<string, unknown> & { readonly id: string };
export interface As {
  readonly project?: string;
  readonly roles?: readonly string[];
}
export const ADMIN: As = { roles: ['admin'] };

export const one = (answer: Answer, name: string): Row => {
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body[name] as Row;
};
export const fault = (answer: Answer) => ({
  status: answer.status,
  type: (answer.body['NeutronError'] as Row | undefined)?.['type'],
});

export interface Outside {
  readonly network: Row;
  readonly subnet: Row;
}

export class Routing {
  constructor(private readonly bed: Testbed) {}

  async network(body: object = {}, as: As = {}): Promise<Row> {
    return one(await this.bed.call('POST', '/v2.0/networks', { network: body }, as), 'network');
  }

  async subnet(network: Row, cidr: string, body: object = {}, as: As = {}): Promise<Row> {
    const subnet = { network_id: network.id, ip_version: cidr.includes(':') ? 6 : 4, cidr, ...body };
    return one(await this.bed.call('POST', '/v2.0/subnets', { subnet }, as), 'subnet');
  }

  async port(network: Row, body: object = {}, as: As = {}): Promise<Row> {
    return one(await this.bed.call('POST', '/v2.0/ports', { port: { network_id: network.id, ...body } }, as), 'port');
  }

  async router(body: object = {}, as: As = {}): Promise<Row> {
    return one(await this.bed.call('POST', '/v2.0/routers', { router: body }, as), 'router');
  }

  async showRouter(router: Row, as: As = {}): Promise<Row> {
    return one(await this.bed.call('GET', `/v2.0/routers/${router.id}`, undefined, as), 'router');
  }

  changeRouter(router: Row, body: object, as: As = {}): Promise<Answer> {
    return this.bed.call('PUT', `/v2.0/routers/${router.id}`, { router: body }, as);
  }

  add(router: Row, body: object, as: As = {}): Promise<Answer> {
    return this.bed.call('PUT', `/v2.0/routers/${router.id}/add_router_interface`, body, as);
  }

  remove(router: Row, body: object, as: As = {}): Promise<Answer> {
    return this.bed.call('PUT', `/v2.0/routers/${router.id}/remove_router_interface`, body, as);
  }

  delete(collection: string, row: Row, as: As = {}): Promise<Answer> {
    return this.bed.call('DELETE', `/v2.0/${collection}/${row.id}`, undefined, as);
  }

  floating(body: object, as: As = {}): Promise<Answer> {
    return this.bed.call('POST', '/v2.0/floatingips', { floatingip: body }, as);
  }

  async showFloating(floating: Row, as: As = {}): Promise<Row> {
    return one(await this.bed.call('GET', `/v2.0/floatingips/${floating.id}`, undefined, as), 'floatingip');
  }

  changeFloating(floating: Row, body: object, as: As = {}): Promise<Answer> {
    return this.bed.call('PUT', `/v2.0/floatingips/${floating.id}`, { floatingip: body }, as);
  }

  /** An external network with an IPv4 subnet. */
  async outside(cidr: string, body: object = {}, subnet: object = {}): Promise<Outside> {
    const network = await this.network({ 'router:external': true, ...body }, ADMIN);
    return { network, subnet: await this.subnet(network, cidr, { enable_dhcp: false, ...subnet }, ADMIN) };
  }

  /** A QoS policy of an operator's, for everyone. */
  async policy(body: object = {}): Promise<Row> {
    const policy = { name: 'q', shared: true, ...body };
    return one(await this.bed.call('POST', '/v2.0/qos/policies', { policy }, ADMIN), 'policy');
  }

  /** Has a policy limit bandwidth. */
  async limit(policy: Row, max_kbps: number, direction = 'egress'): Promise<Row> {
    const path = `/v2.0/qos/policies/${policy.id}/bandwidth_limit_rules`;
    const rule = { bandwidth_limit_rule: { max_kbps, direction } };
    return one(await this.bed.call('POST', path, rule, ADMIN), 'bandwidth_limit_rule');
  }

  /** A node as OVN knows it, with bridges to these physical networks. */
  node(name: string, physicalNetworks: readonly string[], options = ''): void {
    const { ovn } = this.bed;
    ovn.tool('ovn-sbctl', 'chassis-add', name, 'geneve', `127.1.0.${name.length}`);
    const mappings = physicalNetworks.map((network) => `${network}:br-${network}`).join(',');
    const config = [`other_config:ovn-bridge-mappings="${mappings}"`, `other_config:ovn-cms-options="${options}"`];
    ovn.tool('ovn-sbctl', 'set', 'Chassis', name, ...config);
  }

  /** Rows of a northbound table as JSON of the named columns; maps and sets as OVSDB writes them. */
  rows(table: string, columns: readonly string[], ...conditions: readonly string[]): unknown[][] {
    const flags = ['--format=json', '--data=json', `--columns=${columns.join(',')}`];
    const found = this.bed.ovn.tool('ovn-nbctl', ...flags, 'find', table, ...conditions);
    return (JSON.parse(found) as { data: unknown[][] }).data;
  }

  /** What of a table belongs to the router, as `a b c` of these columns, in order. */
  belongings(router: Row, table: string, columns: readonly string[]): string[] {
    return this.rows(table, columns, `external_ids:"yagura:router"=${router.id}`)
      .map((row) => row.map(flat).join(' '))
      .sort();
  }
}

/** OVSDB's maps and sets in a line: empty ones as `-`. */
function flat(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  const [kind, items] = value as [string, unknown[]];
  if (kind === 'map') return (items as [string, string][]).map(([key, item]) => `${key}=${item}`).join(',') || '-';
  if (kind === 'set') return items.map(flat).sort().join(',') || '-';
  return String(items);
}

export const soon = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 10_000, interval: 50 });
