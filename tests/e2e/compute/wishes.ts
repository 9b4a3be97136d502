/** Flavors and images of a test's own, by what they ask of a guest's machine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STATE, until } from '../client.js';
import { Api } from '../network/lab/api.js';
import type { Lab } from '../network/lab/lab.js';

export type Words = Readonly<Record<string, string>>;

interface Failed {
  readonly status: string;
  readonly fault?: { readonly message: string };
}

export class Wishes {
  #made = 0;

  private constructor(
    private readonly lab: Lab,
    private readonly api: Api,
    private readonly name: string,
  ) {}

  static async open(lab: Lab, name: string): Promise<Wishes> {
    return new Wishes(lab, await Api.open(), name);
  }

  /** The id of a small flavor with those extra specs. */
  async flavor(extra_specs: Words, size: object = {}): Promise<string> {
    const wish = { name: this.#next(), ram: 128, vcpus: 1, disk: 1, ...size };
    const { flavor } = await this.lab.compute<{ flavor: { id: string } }>(
      'POST',
      '/flavors',
      { flavor: wish },
      'admin',
    );
    this.lab.afterwards(() => this.lab.compute('DELETE', `/flavors/${flavor.id}`, undefined, 'admin'));
    await this.lab.compute('POST', `/flavors/${flavor.id}/os-extra_specs`, { extra_specs }, 'admin');
    return flavor.id;
  }

  /** The id of a copy of the small image with those properties. */
  async image(properties: Words): Promise<string> {
    const wish = { name: this.#next(), disk_format: 'qcow2', container_format: 'bare', ...properties };
    const { body } = await this.api.send<{ id: string }>('image', 'POST', '/v2/images', wish);
    this.lab.afterwards(async () => void (await this.api.send('image', 'DELETE', `/v2/images/${body.id}`)));
    await this.api.upload(body.id, readFileSync(join(STATE, 'guest', 'tiny.qcow2')));
    return body.id;
  }

  /** Why a server of those can not be made: what the API says at once, or what became of it. */
  async refusal(imageRef: string, flavorRef: string): Promise<string> {
    const order = { name: this.#next(), imageRef, flavorRef, networks: 'none' };
    const path = '/servers';
    const { status, body } = await this.api.send<{ server: { id: string }; badRequest?: { message: string } }>(
      ...(['compute', 'POST', path, { server: order }] as const),
    );
    if (status !== 202) return `${status} ${body.badRequest?.message}`;
    const shown = async () => (await this.lab.compute<{ server: Failed }>('GET', `${path}/${body.server.id}`)).server;
    const end = await until('the server to fail', shown, (server) => server.status !== 'BUILD', 60_000, 100);
    await this.lab.compute('DELETE', `${path}/${body.server.id}`);
    return end.fault?.message ?? end.status;
  }

  #next(): string {
    return `${this.name}-${this.#made++}`;
  }
}
