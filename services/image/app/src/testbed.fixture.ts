/** The whole service on scratch stores, with tokens of our own making: for integration tests and figures. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import { systemClock } from '#libs/kernel';
import { openLog } from '#libs/platform/log';
import { mintToken, TokenVerifier } from '#libs/platform/policy';
import { scratchDatabase } from '#libs/testing';
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

/** A CA and a certificate for each name. */
export function certificates(folder: string, names: readonly string[]): void {
  const ssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  ssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=test-ca', '-keyout', 'ca.key', '-out', 'ca.crt');
  for (const name of names) {
    ssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=DNS:${name}\n`);
    const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
    ssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.crt`);
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

export interface Testbed {
  readonly url: string;
  readonly grpcPort: number;
  readonly folder: string;
  readonly storeDir: string;
  readonly service: RunningService;
  readonly verifier: TokenVerifier;
  token(project: string, roles?: readonly string[]): string;
  tls(name: string): { ca: string; cert: string; key: string };
  close(): Promise<void>;
}

export interface TestbedOptions {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly sweeperTimes?: SweeperTimes;
}

const EXPANDED: Record<string, string[]> = {
  admin: ['admin', 'manager', 'member', 'reader'],
  member: ['member', 'reader'],
  reader: ['reader'],
};

export async function testbed(given: TestbedOptions = {}): Promise<Testbed> {
  const folder = mkdtempSync(join(tmpdir(), 'yagura-image-'));
  certificates(folder, ['image', 'compute', 'cli', 'node-1']);
  const tls = (name: string) => ({
    ca: join(folder, 'ca.crt'),
    cert: join(folder, `${name}.crt`),
    key: join(folder, `${name}.key`),
  });
  const scratch = await scratchDatabase([imageMigrations]);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const verifier = new TokenVerifier(systemClock);
  verifier.setKeys([{ kid: 'k', publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }]);
  const heart = setInterval(() => verifier.heard(), 500);
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
  const token = (project: string, roles: readonly string[] = ['member']): string => {
    const now = Date.now();
    return mintToken(
      {
        userId: `user-of-${project}`,
        userName: 'u',
        userDomainId: 'default',
        userDomainName: 'Default',
        project: { id: project, name: project, domainId: 'default', domainName: 'Default' },
        roles: roles.flatMap((name) => EXPANDED[name] ?? [name]).map((name) => [`id-${name}`, name] as const),
        methods: ['password'],
        issuedAt: now,
        expiresAt: now + 3_600_000,
        auditIds: [randomUUID()],
      },
      'k',
      privateKey,
    );
  };
  const close = async (): Promise<void> => {
    clearInterval(heart);
    await service.stop();
    await scratch.drop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${port}`, grpcPort, folder, storeDir, service, verifier, token, tls, close };
}
