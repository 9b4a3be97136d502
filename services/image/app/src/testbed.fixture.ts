/** The whole service on scratch stores, with tokens of our own making: for integration tests and figures. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import type { TlsFiles } from '#libs/platform/config';
import { openLog } from '#libs/platform/log';
import type { TokenVerifier } from '#libs/platform/policy';
import { freePort, makeCertificates, scratchDatabase, TestTokens, withImplied } from '#libs/testing';
import { imageMigrations } from '#services/image/data';
import type { SweeperTimes } from '#services/image/worker';
import { type RunningService, startService } from './service.js';

const GATE = new URL('../../gate/src/', import.meta.url).pathname;

/** The gate's program as the build makes it. */
export function compileGate(folder: string): string {
  const out = join(folder, 'gate');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'package.json'), '{"type":"module"}');
  for (const name of readdirSync(GATE).filter((file) => /^[a-z0-9]+\.ts$/.test(file))) {
    const options = { filename: name, jsc: { parser: { syntax: 'typescript' }, target: 'es2024' } } as const;
    writeFileSync(
      join(out, name.replace('.ts', '.js')),
      transformSync(readFileSync(join(GATE, name), 'utf8'), options).code,
    );
  }
  return join(out, 'main.js');
}

export interface Testbed {
  readonly url: string;
  readonly grpcPort: number;
  readonly folder: string;
  readonly storeDir: string;
  readonly service: RunningService;
  readonly verifier: TokenVerifier;
  token(project: string, roles?: readonly string[]): string;
  tls(name: string): TlsFiles;
  close(): Promise<void>;
}

export interface TestbedOptions {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly sweeperTimes?: SweeperTimes;
}

export async function testbed(given: TestbedOptions = {}): Promise<Testbed> {
  const certificates = makeCertificates(['image', 'compute', 'cli', 'node-1']);
  const { folder, of: tls } = certificates;
  const tokens = new TestTokens();
  const { verifier } = tokens;
  const scratch = await scratchDatabase([imageMigrations]);
  const [port, grpcPort] = [await freePort(), await freePort()];
  const storeDir = join(folder, 'store');
  const service = await startService({
    config: {
      process: 'image',
      service: 'image',
      publicUrl: 'http://cloud.test',
      region: 'RegionOne',
      http: { host: '127.0.0.1', port },
      grpc: { host: '127.0.0.1', port: grpcPort },
      tls: tls('image'),
      database: scratch.url,
      peers: {},
      stateDir: folder,
      options: { imageBaseUrl: `http://127.0.0.1:${port}`, urlSigningKey: 'k'.repeat(32), storeDir, ...given.options },
    },
    verifier,
    log: openLog('image', process.env['TEST_LOG'] ?? 'silent'),
    gateProgram: compileGate(folder),
    ...(given.sweeperTimes ? { sweeperTimes: given.sweeperTimes } : {}),
  });
  const token = (project: string, roles: readonly string[] = ['member']): string =>
    tokens.of({ user: `user-of-${project}`, project, roles: withImplied(roles) });
  const close = async (): Promise<void> => {
    tokens.close();
    await service.stop();
    await scratch.drop();
    certificates.remove();
  };
  return { url: `http://127.0.0.1:${port}`, grpcPort, folder, storeDir, service, verifier, token, tls, close };
}
