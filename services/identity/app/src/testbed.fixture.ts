/** Two processes' worth of identity on one scratch database, as a cloud runs it, and a client that speaks to either. */
import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { ServiceConfig, TlsFiles } from '#libs/platform/config';
import { freePort, makeCertificates, type ScratchDatabase, scratchDatabase } from '#libs/testing';
import { identityMigrations } from '#services/identity/data';
import { identityOptions } from './options.js';
import { type RunningIdentity, startIdentity } from './service.js';

export const ADMIN_PASSWORD = 'the-admin-s-own';
export const DEMO_PASSWORD = 'the-demo-s-own';
const { privateKey } = generateKeyPairSync('ed25519');
const SIGNING = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, or undefined for an empty body. Tests say what they expect of it. */
  readonly body: Json;
}
export interface Json {
  readonly [key: string]: Json;
}

export interface Ask {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is instead of a body. */
  readonly raw?: string;
  /** 0 or 1: which process; 0 unless told. */
  readonly at?: number;
}

export interface Testbed {
  readonly database: ScratchDatabase;
  readonly identities: readonly RunningIdentity[];
  readonly grpc: readonly string[];
  /** Ends one process, as `close` does with all that are left. */
  stop(index: number): Promise<void>;
  /** Every line that either process has logged. */
  readonly logged: readonly string[];
  tls(name: string): TlsFiles;
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** A token by password, in the project of that name or, without one, the default scope. */
  logIn(user: string, password: string, project?: string): Promise<string>;
  admin(): Promise<string>;
  close(): Promise<void>;
}

export const passwordBody = (user: object, password: string, scope?: unknown) => ({
  auth: {
    identity: { methods: ['password'], password: { user: { ...user, password } } },
    ...(scope === undefined ? {} : { scope }),
  },
});

export const inDefault = (name: string) => ({ name, domain: { id: 'default' } });

/** The configuration of process `index`. */
async function configOf(index: number, url: string, tls: TlsFiles): Promise<ServiceConfig> {
  const listen = async () => ({ host: '127.0.0.1', port: await freePort() });
  return {
    process: `identity-${index + 1}`,
    service: 'identity',
    publicUrl: 'http://cloud.test',
    region: 'RegionOne',
    http: await listen(),
    grpc: await listen(),
    tls,
    database: url,
    peers: {},
    stateDir: '/nowhere',
    options: {
      signingKeys: [{ kid: 'k1', privatePem: SIGNING, current: true }],
      bootstrap: {
        adminPassword: ADMIN_PASSWORD,
        demoPassword: DEMO_PASSWORD,
        region: 'RegionOne',
        endpoints: { identity: 'http://cloud.test/identity/v3', compute: 'http://cloud.test/compute/v2.1' },
      },
    },
  };
}

export async function startTestbed(processes = 2): Promise<Testbed> {
  const database = await scratchDatabase([identityMigrations]);
  const certificates = makeCertificates(['identity', 'compute', 'cli', 'node-1']);
  const tls = certificates.of;
  const logged: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk));
      done();
    },
  });
  const configs: ServiceConfig[] = [];
  for (let index = 0; index < processes; index += 1) configs.push(await configOf(index, database.url, tls('identity')));
  const identities = await Promise.all(
    configs.map((config) =>
      startIdentity({ config, options: identityOptions(config.options), log: pino({ level: 'debug' }, sink) }),
    ),
  );
  const ask = client(configs.map((config) => `http://127.0.0.1:${config.http.port}`));
  const logIn = async (user: string, password: string, project?: string): Promise<string> => {
    const scope = project === undefined ? undefined : { project: inDefault(project) };
    const answer = await ask('POST', '/v3/auth/tokens', { body: passwordBody(inDefault(user), password, scope) });
    if (answer.status !== 201) throw new Error(`log-in of ${user}: ${answer.status}`);
    return answer.headers.get('x-subject-token') ?? '';
  };
  const stopped = new Set<number>();
  const stop = async (index: number): Promise<void> => {
    if (stopped.has(index)) return;
    stopped.add(index);
    await identities[index]?.stop();
  };
  return {
    database,
    identities,
    grpc: configs.map((config) => `127.0.0.1:${config.grpc.port}`),
    logged,
    tls,
    ask,
    logIn,
    admin: () => logIn('admin', ADMIN_PASSWORD, 'admin'),
    stop,
    async close() {
      for (const index of identities.keys()) await stop(index);
      await database.drop();
      certificates.remove();
    },
  };
}

const client =
  (bases: readonly string[]) =>
  async (method: string, path: string, { token, body, headers, raw, at = 0 }: Ask = {}): Promise<Answer> => {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${bases[at]}${path}`, {
      method,
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { 'x-auth-token': token }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
      redirect: 'manual',
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text ? JSON.parse(text) : undefined) as Json,
    };
  };
