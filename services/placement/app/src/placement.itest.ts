/** The whole process on a scratch database: the scheduler and the operator's questions over mutual TLS. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { operatorV1, placementV1 } from '#libs/contract';
import { isFailure, runInContext, systemClock } from '#libs/kernel';
import { connectGrpc } from '#libs/platform/grpc';
import { openLog } from '#libs/platform/log';
import { TokenVerifier } from '#libs/platform/policy';
import { freePort, makeCertificates, type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { type RunningService, startService } from './service.js';

const certificates = makeCertificates(['placement', 'compute', 'cli', 'node-1']);
const { folder, of: tls } = certificates;

let scratch: ScratchDatabase;
let service: RunningService;
let address: string;

/** One process of the service on the scratch database. */
async function start(): Promise<{ running: RunningService; address: string }> {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const running = await startService({
    config: {
      process: 'placement',
      service: 'placement',
      publicUrl: 'http://cloud.test',
      region: 'RegionOne',
      http: { host: '127.0.0.1', port },
      grpc: { host: '127.0.0.1', port: grpcPort },
      tls: tls('placement'),
      database: scratch.url,
      peers: {},
      stateDir: folder,
    },
    verifier: new TokenVerifier(systemClock),
    log: openLog('placement', 'silent'),
  });
  return { running, address: `127.0.0.1:${grpcPort}` };
}
beforeAll(async () => {
  scratch = await scratchDatabase();
  ({ running: service, address } = await start());
}, 60_000);
afterAll(async () => {
  await service.stop();
  await scratch.drop();
  certificates.remove();
});

it('places a server for compute, moves and releases it, and tells the operator about it', async () => {
  const scheduler = connectGrpc(placementV1.SchedulerService, [address], 'placement', tls('compute'));
  const operator = connectGrpc(operatorV1.OperatorService, [address], 'placement', tls('cli'));
  const ids = { 'node-1': randomUUID(), 'node-2': randomUUID() };
  const node = (name: keyof typeof ids, more: Partial<placementV1.EnsureProviderRequest> = {}) =>
    scheduler.ensureProvider(
      placementV1.EnsureProviderRequest.fromPartial({
        providerId: ids[name],
        name,
        inventories: [
          { resourceClass: 'VCPU', total: 2, allocationRatio: 4 },
          { resourceClass: 'MEMORY_MB', total: 2048, reserved: 512 },
        ],
        traits: ['CUSTOM_ACCEL_TCG'],
        availabilityZone: 'nova',
        ...more,
      }),
    );
  expect(await node('node-1')).toEqual(await node('node-1'));
  const consumerId = randomUUID();
  const requestId = `req-${randomUUID()}`;
  const claim = (seq: number, more: Partial<placementV1.ClaimRequest> = {}) =>
    runInContext({ requestId }, () =>
      scheduler.claim(
        placementV1.ClaimRequest.fromPartial({
          consumerId,
          fence: 1,
          seq,
          projectId: 'p',
          userId: 'u',
          resources: [
            { resourceClass: 'VCPU', amount: 1 },
            { resourceClass: 'MEMORY_MB', amount: 1024 },
          ],
          availabilityZone: 'nova',
          ...more,
        }),
      ),
    );
  const first = await claim(1);
  expect(first.claimed).toEqual({ providerId: ids['node-1'], providerName: 'node-1', alternateNames: [] });
  expect(await claim(1)).toEqual(first);
  const refused = await claim(2, { excludeProviderIds: [ids['node-1']] });
  expect(refused).toMatchObject({
    claimed: undefined,
    rejections: [{ providerName: 'node-1', reason: 'was tried before' }],
  });
  await node('node-2');
  expect((await claim(3, { excludeProviderIds: [ids['node-1']] })).claimed?.providerName).toBe('node-2');
  expect(isFailure(await claim(2).catch((error: unknown) => error), 'fenced')).toBe(true);
  expect(await scheduler.allocations({ consumerIds: [] })).toMatchObject({
    allocations: [{ consumerId, providerName: 'node-2' }],
  });
  const { rows } = await operator.books({});
  expect(rows).toContainEqual(expect.objectContaining({ kind: 'allocation', serverId: consumerId, node: 'node-2' }));
  expect(rows).toContainEqual(
    expect.objectContaining({ id: 'node-2/MEMORY_MB', facts: { class: 'MEMORY_MB', used: '1024', capacity: '1536' } }),
  );
  await scheduler.release({ consumerId, fence: 1, seq: 4 });
  const { events } = await operator.trace({ id: requestId });
  expect(events.map(({ what, outcome, node: at }) => [what, outcome, at])).toEqual([
    ['claim', 'ok', 'node-1'],
    ['claim', 'failed', ''],
    ['release', 'ok', 'node-1'],
    ['claim', 'ok', 'node-2'],
  ]);
  const status = await operator.status({});
  expect(status.lines).toContainEqual({ name: 'sums', state: 'ok', detail: '' });
  await scheduler.removeProvider({ providerId: ids['node-2'] });
  for (const peer of ['node-1', 'cli']) {
    const stranger = connectGrpc(placementV1.SchedulerService, [address], 'placement', tls(peer));
    expect(isFailure(await stranger.allocations({ consumerIds: [] }).catch((e: unknown) => e), 'forbidden')).toBe(true);
    stranger.close();
  }
  scheduler.close();
  operator.close();
});

it('knows every provider before it serves', async () => {
  const first = connectGrpc(placementV1.SchedulerService, [address], 'placement', tls('compute'));
  for (const name of ['early-1', 'early-2'])
    await first.ensureProvider(placementV1.EnsureProviderRequest.fromPartial({ providerId: randomUUID(), name }));
  const again = await start();
  const operator = connectGrpc(operatorV1.OperatorService, [again.address], 'placement', tls('cli'));
  // Nobody has asked for a provider yet: it tells what it has read by itself.
  const providers = (await operator.status({})).lines.find(({ name }) => name === 'providers');
  const { count } = (await scratch.db.one<{ count: number }>('select count(*) as count from provider'))!;
  expect(count).toBeGreaterThanOrEqual(2);
  expect(providers?.detail).toMatch(new RegExp(`^${count}, `));
  for (const client of [first, operator]) client.close();
  await again.running.stop();
});
