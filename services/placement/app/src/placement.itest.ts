/** The whole process on a scratch database: the scheduler and the operator's questions over mutual TLS. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { operatorV1, placementV1 } from '#libs/contract';
import { isFailure, runInContext, systemClock } from '#libs/kernel';
import { connectGrpc } from '#libs/platform/grpc';
import { openLog } from '#libs/platform/log';
import { TokenVerifier } from '#libs/platform/policy';
import { type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { type RunningService, startService } from './service.js';

const folder = mkdtempSync(join(tmpdir(), 'yagura-placement-'));

/** A CA and a certificate for each name. */
function certificates(names: readonly string[]): void {
  const ssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  ssl('req', '-x509', ...fresh, '-days', '2', '-subj', '/CN=test-ca', '-keyout', 'ca.key', '-out', 'ca.crt');
  for (const name of names) {
    ssl('req', ...fresh, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=DNS:${name}\n`);
    const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
    ssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.crt`);
  }
}
const tls = (name: string) => ({
  ca: join(folder, 'ca.crt'),
  cert: join(folder, `${name}.crt`),
  key: join(folder, `${name}.key`),
});
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

let scratch: ScratchDatabase;
let service: RunningService;
let address: string;
beforeAll(async () => {
  certificates(['placement', 'compute', 'cli', 'node-1']);
  scratch = await scratchDatabase();
  const [port, grpcPort] = [await freePort(), await freePort()];
  address = `127.0.0.1:${grpcPort}`;
  service = await startService({
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
}, 60_000);
afterAll(async () => {
  await service.stop();
  await scratch.drop();
  rmSync(folder, { recursive: true });
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
