/**
 * What a guest has written is in its image: taken while it writes on, by a node whose agent dies meanwhile, as a backup
 * among others, or to lie on the shelf until it is started again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findings, until } from '../client.js';
import { Api } from '../network/lab/api.js';
import { Lab } from '../network/lab/lab.js';
import { killOnNode, scriptOnNode } from '../network/lab/node.js';
import { type Guest, Login } from './login.js';

interface Image {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly size: number | null;
  readonly [property: string]: unknown;
}

const KEEP = '/home/tiny/keep';
const LOG = '/home/tiny/log';
const INSTANCES = '/var/lib/yagura/agent/instances';
const run = `lab-image-${Date.now().toString(36)}`;

let lab: Lab;
let nodes: readonly string[];
let api: Api;
let login: Login;
let guest: Guest;
let sum = '';

beforeAll(async () => {
  lab = await Lab.open('image', ['node-1']);
  api = await Api.open();
  nodes = await lab.nodes();
  lab.afterwards(async () => {
    for (const { id } of await images()) await api.send('image', 'DELETE', `/v2/images/${id}`);
  });
  login = await Login.open(lab, 'lab-image', '10.78.0.0/24');
  guest = await login.guest();
  sum = await login.inside(guest, `head -c 2000000 /dev/urandom > ${KEEP}; sync; sha256sum < ${KEEP}`);
});
afterAll(() => lab.close());

/** Those of this run, the oldest first. */
async function images(query = ''): Promise<Image[]> {
  const { body } = await api.send<{ images: Image[] }>('image', 'GET', `/v2/images?sort=created_at:asc${query}`);
  return body.images.filter(({ name }) => name.startsWith(run));
}

async function active(name: string): Promise<Image> {
  const find = async () => (await images(`&name=${name}`))[0];
  const image = await until(`image ${name} to be active`, find, (one) => one?.status === 'active', 120_000, 200);
  return image!;
}

const act = (action: object) => lab.compute('POST', `/servers/${guest.id}/action`, action);
const idle = () =>
  login.becomes(guest, 'ACTIVE').then(() => until('no task', task, (now) => now === null, 60_000, 200));
const task = async () => (await login.show(guest))['OS-EXT-STS:task_state'];
const count = async (of: Guest): Promise<number> => Number(await login.inside(of, `cat ${LOG} 2>/dev/null | wc -l`));
/** Files of copies that lie about on the nodes. */
const copies = () =>
  Promise.all(nodes.map((node) => scriptOnNode(node, `find ${INSTANCES} -name 'copy*' 2>/dev/null || true`))).then(
    (lists) => lists.join('').trim(),
  );

/** Numbered lines, each with a sum of its own, each on the disk before the next begins. */
const WRITER = `cat > /tmp/writer <<'END'
n=0
while [ ! -e /tmp/halt ]; do
  n=$((n + 1)); echo "$n $(echo "line $n" | md5sum | cut -c1-32)" >> ${LOG}; sync
done
END
rm -f /tmp/halt ${LOG}; setsid sh /tmp/writer </dev/null >/dev/null 2>&1 &`;
const CHECK = `awk '{ print $1 }' ${LOG} | while read n; do echo "$n $(echo "line $n" | md5sum | cut -c1-32)"; done | cmp - ${LOG} && echo whole`;

describe('an image of a server that writes', () => {
  let copy: Guest;
  let before = 0;
  let after = 0;

  it('is there at once, and active while the guest goes on', async () => {
    await login.inside(guest, WRITER);
    await until(
      'the guest to write',
      () => count(guest),
      (lines) => lines > 3,
      30_000,
      500,
    );
    before = await count(guest);
    await act({ createImage: { name: `${run}-live`, metadata: { mine: 'yes' } } });
    const [first] = await images();
    expect(first).toMatchObject({ name: `${run}-live`, visibility: 'private', image_type: 'snapshot', mine: 'yes' });
    expect(first).toMatchObject({
      instance_uuid: guest.id,
      disk_format: 'qcow2',
      container_format: 'bare',
      min_disk: 1,
    });
    await active(`${run}-live`);
    await idle();
    after = await count(guest);
    await until(
      'the guest to write on',
      () => count(guest),
      (lines) => lines > after,
      30_000,
      500,
    );
    await login.inside(guest, 'touch /tmp/halt');
  });

  it('boots another server with all that was on the disk at that moment', async () => {
    const { id } = await active(`${run}-live`);
    copy = await login.guest({ imageRef: id });
    expect(await login.inside(copy, `sha256sum < ${KEEP}`)).toBe(sum);
    const lines = await count(copy);
    expect(lines).toBeGreaterThanOrEqual(before);
    expect(lines).toBeLessThanOrEqual(after);
    expect(await login.inside(copy, CHECK)).toBe('whole');
    expect(await login.inside(copy, 'dmesg | grep -ci "ext4-fs error" || true')).toBe('0');
    await login.inside(copy, `echo more >> ${LOG}; sync; rm ${KEEP}; sync`);
    expect(await login.inside(guest, `sha256sum < ${KEEP}`)).toBe(sum);
  });

  it('is taken of a guest that stands still, and of one that is off', async () => {
    await login.act(guest, { pause: null }, 'PAUSED');
    await act({ createImage: { name: `${run}-paused` } });
    await active(`${run}-paused`);
    await until('no task', task, (now) => now === null, 60_000, 200);
    await login.act(guest, { unpause: null }, 'ACTIVE');
    await login.act(guest, { suspend: null }, 'SUSPENDED');
    await act({ createImage: { name: `${run}-suspended` } });
    await active(`${run}-suspended`);
    await until('no task', task, (now) => now === null, 60_000, 200);
    await login.act(guest, { resume: null }, 'ACTIVE');
    await login.act(guest, { 'os-stop': null }, 'SHUTOFF');
    await act({ createImage: { name: `${run}-off` } });
    await active(`${run}-off`);
    await until('no task', task, (now) => now === null, 60_000, 200);
    await login.act(guest, { 'os-start': null }, 'ACTIVE');
    await login.answers(guest);
    expect(await login.inside(guest, `sha256sum < ${KEEP}`)).toBe(sum);
  });
});

describe('a large disk', () => {
  beforeAll(async () => {
    const fill = 'yes "some text that fills a disk" | dd of=/dev/vda bs=1M seek=200 count=300 iflag=fullblock';
    await login.inside(guest, `sudo sh -c '${fill} 2>/dev/null'; sync`);
  });

  const copying = () => until('the copy to be made', copies, (found) => found !== '', 30_000, 20);

  it('is copied to the end although the agent dies at it', async () => {
    await act({ createImage: { name: `${run}-large` } });
    await copying();
    await killOnNode(await login.node(guest), 'agent');
    const { size } = await active(`${run}-large`);
    expect(size).toBeGreaterThan(250 << 20);
    await idle();
    expect(await copies()).toBe('');
    expect((await images(`&name=${run}-large`)).length).toBe(1);
  });

  it('leaves nothing when its server is deleted meanwhile', async () => {
    const other = await login.guest({ imageRef: (await active(`${run}-large`)).id });
    await lab.compute('POST', `/servers/${other.id}/action`, { createImage: { name: `${run}-lost` } });
    await copying();
    await lab.compute('DELETE', `/servers/${other.id}`);
    const gone = () => api.send('compute', 'GET', `/servers/${other.id}`).then(({ status }) => status);
    await until('the server to be gone', gone, (status) => status === 404, 60_000, 200);
    await until(
      'the image to be gone',
      () => images(`&name=${run}-lost`),
      (found) => found.length === 0,
      30_000,
      200,
    );
    expect(await copies()).toBe('');
  });
});

describe('backups', () => {
  it('are kept by their number, each kind for itself', async () => {
    const backup = async (name: string, backup_type: string): Promise<void> => {
      await act({ createBackup: { name: `${run}-${name}`, backup_type, rotation: 2 } });
      await active(`${run}-${name}`);
      await idle();
    };
    await backup('weekly', 'weekly');
    for (const name of ['day-1', 'day-2', 'day-3']) await backup(name, 'daily');
    const left = await images(`&image_type=backup&instance_uuid=${guest.id}`);
    expect(left.map(({ name }) => name.slice(run.length + 1))).toEqual(['weekly', 'day-2', 'day-3']);
  });
});

describe('a shelved server', () => {
  const addresses = async () => JSON.stringify((await login.show(guest))['addresses']);

  it('leaves its node, with its addresses kept, and comes back with its data', async () => {
    const before = await addresses();
    await login.act(guest, { shelve: null }, 'SHELVED_OFFLOADED');
    expect(await login.show(guest)).toMatchObject({ hostId: '', 'OS-EXT-STS:task_state': null });
    expect(await addresses()).toBe(before);
    for (const node of nodes)
      expect(await scriptOnNode(node, `ls ${INSTANCES} | grep -c "$1" || true`, guest.id)).toMatch(/^0/);
    const { body } = await api.send<{ images: Image[] }>('image', 'GET', `/v2/images?instance_uuid=${guest.id}`);
    expect(body.images.some(({ name, status }) => name.endsWith('-shelved') && status === 'active')).toBe(true);
    await login.act(guest, { unshelve: null }, 'ACTIVE');
    expect(await addresses()).toBe(before);
    await login.answers(guest);
    expect(await login.inside(guest, `sha256sum < ${KEEP}`)).toBe(sum);
    const shelf = async () =>
      (await api.send<{ images: Image[] }>('image', 'GET', `/v2/images?instance_uuid=${guest.id}`)).body.images;
    await until(
      'the shelf to be empty',
      shelf,
      (all) => !all.some(({ name }) => name.endsWith('-shelved')),
      30_000,
      200,
    );
  });

  it('comes back on the other node where that is asked for', async () => {
    const from = await login.node(guest);
    const to = nodes.find((node) => node !== from)!;
    await login.act(guest, { shelve: null }, 'SHELVED_OFFLOADED');
    const path = `/servers/${guest.id}/action`;
    const answer = await api.send('compute', 'POST', path, { unshelve: { host: to } }, 'admin', '2.91');
    expect(answer.status).toBe(202);
    await login.becomes(guest, 'ACTIVE');
    expect(await login.node(guest)).toBe(to);
    await login.answers(guest);
    expect(await login.inside(guest, `sha256sum < ${KEEP}`)).toBe(sum);
  });
});

it('leaves the books balanced', async () => {
  const found = await findings();
  expect(found.filter(({ id, message }) => `${id}${message}`.includes(guest.id))).toEqual([]);
  expect(found.filter(({ code }) => code.includes('image'))).toEqual([]);
});
