/** Logging in to small guests from an endpoint on their network, with a key of the test's own. */
import { until } from '../client.js';
import type { Endpoint } from '../network/lab/endpoint.js';
import type { Lab } from '../network/lab/lab.js';
import { mustOnNode } from '../network/lab/node.js';
import type { Port, Server } from '../network/lab/resources.js';

export interface Guest extends Server {
  readonly address: string;
}

export class Login {
  readonly #key: string;

  private constructor(
    private readonly lab: Lab,
    private readonly jump: Endpoint,
    private readonly make: (attributes: object) => Promise<Guest>,
    key: string,
  ) {
    this.#key = key;
  }

  /** `name`: of the key pair, and what keeps two tests apart. */
  static async open(lab: Lab, name: string, cidr: string): Promise<Login> {
    const key = `/tmp/${name}-key`;
    const network = await lab.network({ subnets: [{ cidr }] });
    const open = await lab.group({ rules: [{ direction: 'ingress' }, { direction: 'egress' }] });
    await mustOnNode('node-1', 'rm', '-f', key);
    await mustOnNode('node-1', 'dropbearkey', '-t', 'ed25519', '-f', key);
    lab.afterwards(async () => void (await mustOnNode('node-1', 'rm', '-f', key)));
    const public_key = /^ssh-ed25519 \S+/m.exec(await mustOnNode('node-1', 'dropbearkey', '-y', '-f', key))![0];
    await lab.compute('DELETE', `/os-keypairs/${name}`).catch(() => undefined);
    await lab.compute('POST', '/os-keypairs', { keypair: { name, public_key } });
    lab.afterwards(() => lab.compute('DELETE', `/os-keypairs/${name}`));
    const jump = await lab.endpoint({ network, node: 'node-1', groups: [open] });
    const make = async (attributes: object): Promise<Guest> => {
      const port = await lab.make<Port>('ports', 'port', { network_id: network.id, security_groups: [open] });
      const server = await lab.server({ key_name: name, networks: [{ port: port.id }], ...attributes });
      return { ...server, address: port.fixed_ips[0]!.ip_address };
    };
    return new Login(lab, jump, make, key);
  }

  /** A guest that takes logins. */
  async guest(attributes: object = {}): Promise<Guest> {
    const guest = await this.make(attributes);
    await this.answers(guest);
    return guest;
  }

  async answers({ address }: Guest): Promise<void> {
    const ask = () => this.jump.connect('tcp', address, 22, 1_000);
    await until('the guest to take logins', ask, ({ outcome }) => outcome === 'open', 120_000, 100);
  }

  /** What a command says inside; throws where it fails. */
  async inside({ address }: Guest, command: string): Promise<string> {
    const remote = `set -eu; PATH=$PATH:/sbin:/usr/sbin; ${command}`;
    const login = ['dbclient', '-y', '-y', '-i', this.#key, `tiny@${address}`, remote];
    const { code, output } = await this.jump.exec(login, 60_000);
    if (code !== 0) throw new Error(`${command}: ${output}`);
    return output.replace(/^.*dbclient: .*\n/gm, '').trim();
  }

  /** The node that it is on. */
  async node({ id }: { readonly id: string }): Promise<string> {
    const { server } = await this.lab.compute<{ server: Server }>('GET', `/servers/${id}`, undefined, 'admin');
    return server['OS-EXT-SRV-ATTR:host']!;
  }

  /** Has an action done, and waits for what becomes of it. */
  async act<T>(guest: Guest, action: object, status: string): Promise<T> {
    const answer = await this.lab.compute<T>('POST', `/servers/${guest.id}/action`, action);
    await this.becomes(guest, status);
    return answer;
  }

  async becomes(guest: Guest, status: string): Promise<void> {
    const shown = async () => {
      const { status: now, fault, ...more } = await this.show(guest);
      return { now, doing: more['OS-EXT-STS:task_state'], fault };
    };
    try {
      await until(`server ${guest.id} to be ${status}`, shown, ({ now }) => now === status, 120_000, 200);
    } catch (error) {
      const actions = await this.#lastActions(guest).catch((trouble: Error) => trouble.message);
      throw new Error(`${(error as Error).message}\n${actions}`, { cause: error });
    }
  }

  /** What was done to it last, step by step, as administrators see it. */
  async #lastActions({ id }: Guest): Promise<string> {
    const path = `/servers/${id}/os-instance-actions`;
    const list = await this.lab.compute<{ instanceActions: { request_id: string }[] }>('GET', path, undefined, 'admin');
    const last = list.instanceActions.slice(0, 2);
    const told = last.map((one) => this.lab.compute('GET', `${path}/${one.request_id}`, undefined, 'admin'));
    return (await Promise.all(told)).map((one) => JSON.stringify(one)).join('\n');
  }

  async show({ id }: Guest): Promise<Record<string, unknown>> {
    return (await this.lab.compute<{ server: Record<string, unknown> }>('GET', `/servers/${id}`)).server;
  }
}
