/** The whole service on scratch stores, with tokens of our own making: for integration tests and figures. */
import type { TlsFiles } from '#libs/platform/config';
import { openLog } from '#libs/platform/log';
import {
  freePort,
  makeCertificates,
  type OvnDatabases,
  scratchDatabase,
  startOvnDatabases,
  TestTokens,
  withImplied,
} from '#libs/testing';
import { networkMigrations } from '#services/network/data';
import { type RunningService, startService } from './service.js';

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
  tls(name: string): TlsFiles;
  /** A call as a member of the project; `admin` as an administrator of it. */
  call(
    method: string,
    path: string,
    body?: unknown,
    as?: { project?: string; roles?: readonly string[] },
  ): Promise<Answer>;
  close(): Promise<void>;
}

export async function testbed(options: Json = {}): Promise<Testbed> {
  const certificates = makeCertificates(['network', 'compute', 'cli', 'node-1']);
  const { folder, of: tls } = certificates;
  const tokens = new TestTokens();
  const { verifier } = tokens;
  const [scratch, ovn] = await Promise.all([scratchDatabase([networkMigrations]), startOvnDatabases({ northd: true })]);
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
  const token = (project: string, roles: readonly string[] = ['member']): string =>
    tokens.of({ user: `user-of-${project}`, project, roles: withImplied(roles) });
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
    tokens.close();
    await service.stop();
    ovn.stop();
    await scratch.drop();
    certificates.remove();
  };
  return { url, grpcAddress: `127.0.0.1:${grpcPort}`, ovn, service, token, tls, call, close };
}
