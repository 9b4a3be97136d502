import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN, DEMO, fakeAgent, openStage, PORT, type Stage } from '../compute.fixture.js';

const NOW = new Date('2026-01-02T03:04:05.678Z');
let now = NOW;
let stage: Stage;
let id = '';
beforeAll(async () => {
  stage = await openStage(() => now);
  id = await stage.boot();
});
afterAll(() => stage.close());

const ask = (at?: string, as = ADMIN, of = id) =>
  stage.ask('GET', `/v2.1/servers/${of}/diagnostics`, { as, ...(at ? { at } : {}) });

it('are told in the words of libvirt up to 2.47', async () => {
  const expected = {
    cpu0_time: 17_300_000_000,
    memory: 524_288,
    'memory-actual': 524_288,
    'memory-rss': 99_000,
    ...{ vda_errors: -1, vda_read: 262_144, vda_read_req: 112, vda_write: 5_778_432, vda_write_req: 488 },
    ...{ tap1_rx: 2_070_139, tap1_rx_drop: 0, tap1_rx_errors: 0, tap1_rx_packets: 26_701 },
    ...{ tap1_tx: 140_208, tap1_tx_drop: 0, tap1_tx_errors: 0, tap1_tx_packets: 26_701 },
  };
  for (const at of [undefined, '2.47']) expect(await ask(at)).toMatchObject({ status: 200, body: expected });
});

it('have one shape for all hypervisors from 2.48 on', async () => {
  now = new Date(NOW.getTime() + 90_500);
  const rates = { rx_rate: null, tx_rate: null, rx_errors: 0, tx_errors: 0, rx_drop: 0, tx_drop: 0 };
  const { status, body } = await ask('2.48');
  expect([status, body]).toEqual([
    200,
    {
      ...{ state: 'running', driver: 'libvirt', hypervisor: 'qemu', hypervisor_os: 'linux', uptime: 90 },
      ...{ config_drive: false, num_cpus: 1, num_nics: 1, num_disks: 1 },
      memory_details: { maximum: 512, used: 512 },
      cpu_details: [{ id: 0, time: 17_300_000_000, utilisation: null }],
      disk_details: [
        {
          ...{ read_bytes: 262_144, read_requests: 112, write_bytes: 5_778_432, write_requests: 488 },
          errors_count: null,
        },
      ],
      nic_details: [
        {
          ...{ mac_address: 'fa:16:3e:00:00:01', rx_octets: 2_070_139, rx_packets: 26_701 },
          ...{ tx_octets: 140_208, tx_packets: 26_701, ...rates },
        },
      ],
    },
  ]);
  expect((await ask('2.96')).body).toEqual(body);
});

it('are for administrators, of servers that run on a node', async () => {
  expect((await ask(undefined, DEMO)).status).toBe(403);
  expect((await ask(undefined, ADMIN, PORT)).status).toBe(404);
  const was = fakeAgent.diagnostics;
  for (const [power, word] of [
    ['stopped', 'shutdown'],
    ['suspended', 'shutdown'],
    ['paused', 'paused'],
    ['crashed', 'crashed'],
    ['absent', 'pending'],
  ]) {
    fakeAgent.diagnostics = { ...was, power: power! };
    const { status, body } = await ask('2.48');
    expect([status, body.conflictingRequest.message]).toEqual([
      409,
      `Cannot 'get_diagnostics' instance ${id} while it is in power state ${word}`,
    ]);
  }
  fakeAgent.diagnostics = was;
  await stage.scratch.db.exec('update server set host = null where id = $1', [id]);
  expect(await ask()).toMatchObject({
    status: 409,
    body: { conflictingRequest: { message: `Instance ${id} is not ready` } },
  });
});
