/** What bad input gets: the service's own fault shape and status, and nothing left behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, loginTo, type Session } from '../runner/cloud-client.js';
import { findings, STATE, until } from './client.js';

const NOWHERE = '00000000-0000-4000-8000-000000000000';

let demo: Session;
let admin: Session;
let nova: string;
let neutron: string;
let glance: string;
let image: string;
let flavor: string;
let network: string;

interface Listed {
  readonly id: string;
  readonly name: string;
}

const pick = (list: readonly Listed[], name: string): string => list.find((item) => item.name === name)?.id ?? '';

beforeAll(async () => {
  demo = await loginTo(STATE, 'yagura-demo');
  admin = await loginTo(STATE, 'yagura-admin');
  nova = demo.endpoint('compute');
  neutron = `${demo.endpoint('network')}/v2.0`;
  glance = `${demo.endpoint('image')}/v2`;
  image = pick((await demo.call<{ images: Listed[] }>('GET', `${glance}/images`)).body.images, 'tiny');
  flavor = pick((await demo.call<{ flavors: Listed[] }>('GET', `${nova}/flavors`)).body.flavors, 'm1.nano');
  network = pick((await demo.call<{ networks: Listed[] }>('GET', `${neutron}/networks`)).body.networks, 'demo');
});

afterAll(async () => {
  expect(await findings()).toEqual([]);
});

const create = (server: object): Promise<Answer<Record<string, { code: number; message: string }>>> =>
  demo.call('POST', `${nova}/servers`, {
    server: { name: 'bad', imageRef: image, flavorRef: flavor, networks: [{ uuid: network }], ...server },
  });

describe('compute', () => {
  it.each([
    ['an unknown flavor', { flavorRef: 'none' }],
    ['an unknown image', { imageRef: NOWHERE }],
    ['an unknown network', { networks: [{ uuid: NOWHERE }] }],
    ['an unknown key', { key_name: 'none-such' }],
    ['an unknown security group', { security_groups: [{ name: 'none-such' }] }],
    ['user data that is no base64', { user_data: '***' }],
    ['a name of nothing', { name: '' }],
    ['an unknown field', { surprise: 1 }],
  ])('answers %s with badRequest', async (_what, server) => {
    const { status, body } = await create(server);
    expect([status, Object.keys(body)]).toEqual([400, ['badRequest']]);
    expect(body['badRequest']?.message.length).toBeGreaterThan(10);
  });

  it('says how many nodes lack what when there is no room', async () => {
    const made = await admin.call<{ flavor: Listed }>('POST', `${nova}/flavors`, {
      flavor: { name: `huge-${Date.now()}`, ram: 4_000_000, vcpus: 1, disk: 1 },
    });
    const { status, body } = await create({ flavorRef: made.body.flavor.id });
    const refused = status === 403 ? body : undefined;
    if (refused) {
      expect(refused['forbidden']?.message).toMatch(/quota/i);
      await admin.call('PUT', `${nova}/os-quota-sets/${demo.projectId}`, { quota_set: { ram: -1 } });
    }
    const again = await demo.call<{ server: Listed }>('POST', `${nova}/servers`, {
      server: { name: 'huge', imageRef: image, flavorRef: made.body.flavor.id, networks: [{ uuid: network }] },
    });
    expect(again.status).toBe(202);
    const url = `${nova}/servers/${again.body.server.id}`;
    interface Shown {
      server: { status: string; fault?: { message: string } };
    }
    const shown = await until(
      'the server to fail',
      async () => (await demo.call<Shown>('GET', url)).body,
      (answer) => answer.server.status === 'ERROR',
    );
    expect(shown.server.fault?.message).toMatch(/nodes? lacks? .*memory/);
    await demo.call('DELETE', url);
    await until(
      'the server to go',
      () => demo.call('GET', url),
      (answer) => answer.status === 404,
    );
    await admin.call('DELETE', `${nova}/os-quota-sets/${demo.projectId}`);
    await admin.call('DELETE', `${nova}/flavors/${made.body.flavor.id}`);
  });

  it('answers over quota with forbidden, and takes nothing', async () => {
    await admin.call('PUT', `${nova}/os-quota-sets/${demo.projectId}`, { quota_set: { instances: 0 } });
    const { status, body } = await create({});
    expect([status, Object.keys(body)]).toEqual([403, ['forbidden']]);
    await admin.call('DELETE', `${nova}/os-quota-sets/${demo.projectId}`);
  });

  it('refuses a version that it does not speak', async () => {
    const asked = (version: string) =>
      demo.call('GET', `${nova}/servers`, undefined, { 'X-OpenStack-Nova-API-Version': version });
    expect((await asked('2.999')).status).toBe(406);
    expect((await asked('nonsense')).status).toBe(400);
  });
});

describe('every service', () => {
  const urls = (): Record<string, string> => ({
    identity: `${demo.authUrl}/projects`,
    image: `${glance}/images`,
    network: `${neutron}/networks`,
    compute: `${nova}/servers`,
    placement: `${demo.endpoint('placement')}/resource_providers`,
  });

  it.each(['identity', 'image', 'network', 'compute', 'placement'])(
    '%s answers a wrong token with 401',
    async (service) => {
      const { status } = await demo.call('GET', urls()[service] ?? '', undefined, { 'X-Auth-Token': 'wrong' });
      expect(status).toBe(401);
    },
  );

  it.each(['identity', 'image', 'network', 'compute'])(
    '%s answers malformed and poisoned JSON with 400',
    async (service) => {
      for (const text of ['{"a":', '{"__proto__":{"admin":true}}', '[]', '"x"']) {
        const { status } = await demo.call('POST', urls()[service] ?? '', text);
        expect([text, status]).toEqual([text, 400]);
      }
    },
  );

  it.each(['identity', 'image', 'network', 'compute'])('%s answers a body of 10 MB with 413', async (service) => {
    const { status } = await demo.call('POST', urls()[service] ?? '', JSON.stringify({ x: 'y'.repeat(10 << 20) }));
    expect(status).toBe(413);
  });

  it.each([
    ['compute', () => `${nova}/servers/${NOWHERE}`, 'itemNotFound'],
    ['network', () => `${neutron}/networks/${NOWHERE}`, 'NeutronError'],
    ['image', () => `${glance}/images/${NOWHERE}`, 'message'],
  ])('%s answers an unknown id with 404 in its own shape', async (_service, url, key) => {
    const { status, body } = await demo.call('GET', url());
    expect(status).toBe(404);
    expect(Object.keys(body as object)).toContain(key);
  });
});

describe('network', () => {
  it('answers over quota with 409', async () => {
    await admin.call('PUT', `${neutron}/quotas/${demo.projectId}`, { quota: { network: 0 } });
    const { status, body } = await demo.call<{ NeutronError: { type: string } }>('POST', `${neutron}/networks`, {
      network: { name: 'bad' },
    });
    expect([status, body.NeutronError.type]).toEqual([409, 'OverQuota']);
    await admin.call('DELETE', `${neutron}/quotas/${demo.projectId}`);
  });
});

describe('image', () => {
  const upload = async (format: string, bytes: Uint8Array): Promise<{ status: number; state: string; id: string }> => {
    const made = await demo.call<{ id: string }>('POST', `${glance}/images`, {
      name: 'bad',
      disk_format: format,
      container_format: 'bare',
    });
    const { id } = made.body;
    const { status } = await demo.call('PUT', `${glance}/images/${id}/file`, bytes, {
      'Content-Type': 'application/octet-stream',
    });
    const state = (await demo.call<{ status: string }>('GET', `${glance}/images/${id}`)).body.status;
    await demo.call('DELETE', `${glance}/images/${id}`);
    return { status, state, id };
  };

  /** A qcow2 version 3 header of one cluster that names a backing file. */
  const backed = (): Uint8Array => {
    const header = Buffer.alloc(65_536);
    header.write('QFI\xfb', 0, 'latin1');
    header.writeUInt32BE(3, 4);
    header.writeBigUInt64BE(512n, 8);
    header.writeUInt32BE(11, 16);
    header.writeUInt32BE(16, 20);
    header.writeBigUInt64BE(1n << 20n, 24);
    header.writeUInt32BE(4, 96);
    header.writeUInt32BE(104, 100);
    header.write('/etc/passwd', 512, 'latin1');
    return header;
  };

  it('refuses a qcow2 with a backing file', async () => {
    const { status, state } = await upload('qcow2', backed());
    expect([Math.floor(status / 100), state]).toEqual([4, 'queued']);
  });

  it('refuses bytes that are not of the declared format', async () => {
    expect((await upload('qcow2', Buffer.from('this is no disk'))).status).toBeGreaterThanOrEqual(400);
    expect((await upload('raw', backed())).status).toBeGreaterThanOrEqual(400);
  });
});
