/** The cloud's APIs as a lab uses them: as the tenant, and as the operator where only that one may. */
import { type Answer, loginTo, type Session } from '../../../runner/cloud-client.js';
import { STATE } from '../../client.js';

export type As = 'demo' | 'admin';

export class Api {
  readonly #sessions: Readonly<Record<As, Session>>;

  private constructor(demo: Session, admin: Session) {
    this.#sessions = { demo, admin };
  }

  static async open(): Promise<Api> {
    return new Api(await loginTo(STATE, 'yagura-demo'), await loginTo(STATE, 'yagura-admin'));
  }

  get projectId(): string {
    return this.#sessions.demo.projectId;
  }

  /** A call of any API, whatever it answers. */
  send<T = Record<string, unknown>>(
    type: string,
    method: string,
    path: string,
    body?: unknown,
    as: As = 'demo',
    version = '2.37',
  ) {
    const session = this.#sessions[as];
    const headers: Record<string, string> = type === 'compute' ? { 'OpenStack-API-Version': `compute ${version}` } : {};
    return session.call<T>(method, `${session.endpoint(type)}${path}`, body, headers);
  }

  /** A call of the network API; the body's one key is taken off. Throws on any error. */
  async call<T>(method: string, path: string, body?: unknown, as?: As): Promise<T> {
    const answer = await this.send('network', method, `/v2.0${path}`, body, as);
    return Object.values(good(answer, method, path) ?? {})[0] as T;
  }

  /** A call of the compute API. Throws on any error. */
  async compute<T>(method: string, path: string, body?: unknown, as?: As): Promise<T> {
    return good(await this.send<T>('compute', method, path, body, as), method, path);
  }

  /** Gives an image of the tenant's its bytes. */
  async upload(imageId: string, bytes: Uint8Array): Promise<void> {
    const session = this.#sessions.demo;
    const path = `/v2/images/${imageId}/file`;
    const headers = { 'Content-Type': 'application/octet-stream' };
    good(await session.call('PUT', `${session.endpoint('image')}${path}`, bytes, headers), 'PUT', path);
  }

  /** Deletes something of the network's, if it is there. */
  async remove(collection: string, id: string): Promise<void> {
    const answer = await this.send('network', 'DELETE', `/v2.0/${collection}/${id}`, undefined, 'admin');
    if (answer.status !== 404) good(answer, 'DELETE', `${collection}/${id}`);
  }

  /** Takes a router's legs off and deletes it. */
  async removeRouter(id: string): Promise<void> {
    await this.send('network', 'PUT', `/v2.0/routers/${id}`, { router: { routes: [] } }, 'admin');
    const legs = await this.call<{ id: string; device_owner: string }[]>(
      'GET',
      `/ports?device_id=${id}`,
      undefined,
      'admin',
    );
    for (const { id: port_id, device_owner } of legs)
      if (device_owner.startsWith('network:router_interface'))
        await this.call('PUT', `/routers/${id}/remove_router_interface`, { port_id }, 'admin');
    await this.remove('routers', id);
  }
}

function good<T>(answer: Answer<T>, method: string, path: string): T {
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
