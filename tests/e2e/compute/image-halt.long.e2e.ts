/** An image of a guest that switches itself off meanwhile. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../client.js';
import { Api } from '../network/lab/api.js';
import { Lab } from '../network/lab/lab.js';
import { Login } from './login.js';

interface Image {
  readonly id: string;
  readonly status: string;
  readonly size: number | null;
}

const NAME = `lab-image-halt-${Date.now().toString(36)}`;

let lab: Lab;
let api: Api;
let login: Login;

beforeAll(async () => {
  lab = await Lab.open('image-halt', ['node-1']);
  api = await Api.open();
  lab.afterwards(async () => {
    for (const { id } of await images()) await api.send('image', 'DELETE', `/v2/images/${id}`);
  });
  login = await Login.open(lab, 'lab-image-halt', '10.84.0.0/24');
});
afterAll(() => lab.close());

const images = async (): Promise<Image[]> =>
  (await api.send<{ images: Image[] }>('image', 'GET', `/v2/images?name=${NAME}`)).body.images;

it('is whole, and the guest stays off', async () => {
  const guest = await login.guest();
  await lab.compute('POST', `/servers/${guest.id}/action`, { createImage: { name: NAME } });
  await login.inside(guest, '(sleep 0.2; poweroff -f) > /dev/null 2>&1 &');
  const whole = ([one]: Image[]) => one?.status === 'active';
  const [image] = await until('the image to be active', images, whole, 120_000, 200);
  expect(image!.size).toBeGreaterThan(1_000_000);
  await login.becomes(guest, 'SHUTOFF');
  await login.act(guest, { 'os-start': null }, 'ACTIVE');
  await login.answers(guest);
  expect(await login.inside(guest, 'cat /data/state/boots')).toBe('2');
});
