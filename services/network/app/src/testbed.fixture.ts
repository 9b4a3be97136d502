/** The whole service on scratch stores, with tokens of our own making: for integration tests and figures. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#libs/kernel';
import { openLog } from '#libs/platform/log';
import { mintToken, TokenVerifier } from '#libs/platform/policy';
import { type OvnDatabases, scratchDatabase, startOvnDatabases } from '#libs/testing';
import { networkMigrations } from '#services/network/data';
import { type RunningService, startService } from './service.js';

/** A CA and a certificate for each name. */
function certificates(folder: string, names: readonly string[]): void {
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

type Json = Record<string, unknown>;

export interface Answer {
  readonly status: number;
  readonly body: Json;
  readonly headers: Headers;
}

export interface Testbed {
  readonly url: string;
  readonly grpcAddress: string;
  readonly ovn: OvnDatabases;
  readonly service: RunningService;
  token(project: string, roles?: readonly string[]): string;
  tls(name: string): { ca: string; cert: string; key: string };
  /** A call as a member of the project; `admin` as an administrator of it. */
  call(
    method: string,
    path: string,
    body?: unknown,
    as?: { project?: string; roles?: readonly string[] },
  ): Promise<Answer>;
  close(): Promise<void>;
}

const EXPANDED: Record<string, string[]> = {
  admin: ['admin', 'manager', 'member', 'reader'],
  member: ['member', 'reader'],
  reader: ['reader'],
};

export async function testbed(options: Json = {}): Promise<Testbed> {
  const folder = mkdtempSync(join(tmpdir(), 'yagura-network-'));
  certificates(folder, ['network', 'compute', 'cli', 'node-1']);
  const tls = (name: string) => ({
    ca: join(folder, 'ca.crt'),
    cert: join(folder, `${name}.crt`),
    key: join(folder, `${name}.key`),
  });
  const [scratch, ovn] = await Promise.all([scratchDatabase([networkMigrations]), startOvnDatabases({ northd: true })]);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const verifier = new TokenVerifier(systemClock);
  verifier.setKeys([{ kid: 'k', publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }]);
  const heart = setInterval(() => verifier.heard(), 500);
  const [port, grpcPort] = [await freePort(), await freePort()];
  const service = await startService({
    config: {
      process: 'network',
      service: 'network',
      publicUrl: 'http://cloud.test',
      region: 'RegionOne',
      http: { host: '127.0.0.1', port },
      grpc: { host: '127.0.0.1', port: grpcPort },
      tls: tls('network'),
      database: scratch.url,
      peers: {},
      stateDir: folder,
      options: { ovnNb: ovn.nb, ovnSb: ovn.sb, ...options },
    },
    verifier,
    log: openLog('network', process.env['TEST_LOG'] ?? 'silent'),
  });
  const tokens = new Map<string, string>();
  const token = (project: string, roles: readonly string[] = ['member']): string => {
    const key = `${project} ${roles.join()}`;
    const known = tokens.get(key) ?? mintToken(claims(project, roles), 'k', privateKey);
    tokens.set(key, known);
    return known;
  };
  const url = `http://127.0.0.1:${port}`;
  const call: Testbed['call'] = async (method, path, body, as = {}) => {
    const headers: Record<string, string> = { 'x-auth-token': token(as.project ?? 'p1', as.roles) };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const reply = await fetch(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await reply.text();
    return { status: reply.status, body: text === '' ? {} : (JSON.parse(text) as Json), headers: reply.headers };
  };
  const close = async (): Promise<void> => {
    clearInterval(heart);
    await service.stop();
    ovn.stop();
    await scratch.drop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, grpcAddress: `127.0.0.1:${grpcPort}`, ovn, service, token, tls, call, close };
}

function claims(project: string, roles: readonly string[]) {
  const now = Date.now();
  return {
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
  };
}
