/** The whole API over a real database with peers that answer from memory: what the integration tests talk to. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { imageV1, networkGroupsV1, networkV1, restV1 } from '#libs/contract';
import { type Clock, fail, randomIds } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import { flowMigrations } from '#libs/platform/flow';
import { serveHttp } from '#libs/platform/http';
import { openLog } from '#libs/platform/log';
import { type ScratchDatabase, scratchDatabase, TestTokens, type TokenHolder } from '#libs/testing';
import { computeMigrations, Seal, ServerRepo } from '#services/compute/data';
import type { FlavorSnapshot } from '#services/compute/domain';
import { ForeignApi } from './foreign-api.js';
import { Books, computeDialect, computeModule, computeOps, computeRules, Peers } from './index.js';

export const IMAGE = '11111111-1111-4111-8111-111111111111';
export const BIG_IMAGE = '11111111-1111-4111-8111-222222222222';
export const QUEUED_IMAGE = '11111111-1111-4111-8111-333333333333';
export const NETWORK = '22222222-2222-4222-8222-222222222222';
export const PORT = '33333333-3333-4333-8333-333333333333';
export const GROUP = '44444444-4444-4444-8444-444444444444';

/** A caller: a user `<name>` in project `<project>` with these roles. */
export type Caller = TokenHolder;
export const DEMO: Caller = { user: 'user-demo', project: 'project-demo', roles: ['member', 'reader'] };
export const READER: Caller = { user: 'user-reader', project: 'project-demo', roles: ['reader'] };
export const OTHER: Caller = { user: 'user-other', project: 'project-other', roles: ['member', 'reader'] };
export const ADMIN: Caller = { user: 'user-admin', project: 'project-admin', roles: ['admin', 'member', 'reader'] };

const tokens = new TestTokens();
export const tokenOf = (caller: Caller): string => tokens.of(caller);

/** What JSON says, of whatever shape: tests look into it and compare. */
type Parsed = ReturnType<typeof JSON.parse>;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Parsed;
}

export interface Stage {
  readonly app: NestFastifyApplication;
  readonly books: Books;
  readonly scratch: ScratchDatabase;
  readonly seal: Seal;
  ask(method: string, path: string, options?: { as?: Caller; at?: string; body?: unknown }): Promise<Answer>;
  /** A server as it stands once a flow has booted it. */
  boot(options?: { as?: Caller; body?: Record<string, unknown> }): Promise<string>;
  close(): Promise<void>;
}

const GIB = 2 ** 30;

function image(id: string, more: Partial<imageV1.Image> = {}): imageV1.Image {
  const base = { id, name: 'tiny', status: 'active', diskFormat: 'qcow2', containerFormat: 'bare', owner: '' };
  const sizes = { size: 20_000_000, virtualSize: 64_000_000, minDiskGb: 0, minRamMb: 0 };
  return { ...base, ...sizes, sha256: 'ab'.repeat(32), properties: {}, ...more };
}

const IMAGES = [
  image(IMAGE),
  image(BIG_IMAGE, { virtualSize: 50 * GIB, minRamMb: 64 }),
  image(QUEUED_IMAGE, { status: 'queued' }),
];

export const fakeImages = {
  describe: async ({ imageId }: imageV1.DescribeRequest): Promise<imageV1.Image> => {
    const found = IMAGES.find(({ id }) => id === imageId);
    if (!found) throw fail.notFound('No image found with that id');
    return found;
  },
  /** What compute has registered, by id; a name that begins so is refused. */
  registered: new Map<string, imageV1.RegisterRequest>(),
  register: async (request: imageV1.RegisterRequest): Promise<imageV1.Image> => {
    if (request.name.startsWith('over-quota')) throw fail.overQuota('Project is over its image quota.');
    if (request.name.startsWith('away')) throw fail.unavailable('the image service is away');
    fakeImages.registered.set(request.imageId, request);
    return image(request.imageId, { status: 'queued' });
  },
};

function validate(request: networkV1.ValidateRequest): networkV1.ValidateReply {
  const unknown = request.securityGroups.find((name) => ![GROUP, 'default', 'web'].includes(name));
  if (unknown) throw fail.notFound(`Security group ${unknown} not found.`);
  if (request.nics.some((nic) => !nic.adopt && nic.networkId !== NETWORK))
    throw fail.notFound('Network could not be found.');
  const asked = request.auto ? [{ portId: '', adopt: false, networkId: NETWORK, fixedIp: '', tag: '' }] : request.nics;
  const nics = asked.map((nic) => ({ ...nic, networkId: NETWORK }));
  return { nics, securityGroupIds: request.securityGroups.length ? request.securityGroups.map(() => GROUP) : [GROUP] };
}

const portOf = (serverId: string): networkV1.ServerPorts => ({
  serverId,
  ports: [
    {
      id: PORT,
      networkId: NETWORK,
      networkName: 'demo',
      mac: 'fa:16:3e:00:00:01',
      fixedIps: [
        {
          subnetId: GROUP,
          address: '10.0.0.5',
          version: 4,
          cidr: '10.0.0.0/24',
          gateway: '',
          dns: [],
          routes: [],
          addressMode: '',
          floating: [],
        },
      ],
      mtu: 1500,
      securityGroups: [{ id: GROUP, name: 'default' }],
      metadataPortId: '',
      metadataMac: '',
      adopted: false,
      status: 'ACTIVE',
      host: 'node-1',
    },
  ],
});

export const fakeNetwork = {
  validate: async (request: networkV1.ValidateRequest) => validate(request),
  listFloatingIps: async (): Promise<networkV1.ListFloatingIpsReply> => ({ floatingIps: [] }),
  listForServers: async ({ serverIds }: networkV1.ListForServersRequest) => ({ servers: serverIds.map(portOf) }),
  setServerGroups: async ({ serverId, add, remove }: networkV1.SetServerGroupsRequest) => {
    if ([...add, ...remove].some((name) => !['default', 'web'].includes(name)))
      throw fail.notFound('Security group not found.');
    const ports = portOf(serverId);
    const names = ['default', ...add].filter((name) => !remove.includes(name));
    const securityGroups = names.map((name) => ({ id: GROUP, name }));
    return { ...ports, ports: ports.ports.map((port) => ({ ...port, securityGroups })) };
  },
};

const fakeGroups = {
  describe: async ({ groupIds, projectId }: networkGroupsV1.DescribeGroupsRequest) => ({
    groups: groupIds.map((id) => ({ id, name: 'default', description: 'd', projectId, rules: GROUP_RULES })),
  }),
};

const rule = {
  id: '66666666-6666-4666-8666-666666666666',
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: 'tcp',
  portRangeMin: 22,
  portRangeMax: 22,
  remoteIpPrefix: '10.0.0.0/8',
  remoteGroupId: '',
  remoteGroupName: '',
  remoteGroupProjectId: '',
};
const fromItself = { remoteIpPrefix: '', remoteGroupId: GROUP, remoteGroupName: 'default', remoteGroupProjectId: 'p' };
const GROUP_RULES = [
  rule,
  { ...rule, direction: 'egress' },
  { ...rule, ...fromItself, protocol: '', portRangeMin: undefined, portRangeMax: undefined },
];

/** What image and network were asked in a caller's name, and what they are to answer. */
export const fakeRest = {
  asked: [] as restV1.PerformRequest[],
  answers: new Map<string, { status: number; body?: unknown }>(),
  /** Answers that are given but once, before the others. */
  once: new Map<string, { status: number; body?: unknown }>(),
  perform: async (request: restV1.PerformRequest): Promise<restV1.PerformReply> => {
    fakeRest.asked.push(request);
    const call = `${request.method} ${request.path}`;
    const answer = fakeRest.once.get(call) ?? fakeRest.answers.get(call);
    fakeRest.once.delete(call);
    if (!answer) return { status: 404, body: JSON.stringify({ message: `no answer to ${call}` }) };
    return { status: answer.status, body: answer.body === undefined ? '' : JSON.stringify(answer.body) };
  },
};

const traffic = (bytes: number) => ({ bytes, packets: 26_701, errors: 0, drops: 0 });
/** What the agent says of every guest. */
export const fakeAgent = {
  diagnostics: {
    power: 'running',
    hypervisor: 'qemu',
    cpus: [{ id: 0, timeNs: 17_300_000_000 }],
    disks: [{ device: 'vda', readRequests: 112, readBytes: 262_144, writeRequests: 488, writeBytes: 5_778_432 }],
    nics: [{ device: 'tap1', mac: 'fa:16:3e:00:00:01', received: traffic(2_070_139), sent: traffic(140_208) }],
    memoryMaxKib: 524_288,
    memory: { actual: 524_288, rss: 99_000 },
  },
};

const fakePeers = new Peers(
  fakeNetwork,
  fakeGroups,
  fakeImages,
  () => ({
    consoleLog: async ({ lines }) => ({ output: Buffer.from(`booted\r\nlines ${lines}\u001b[0m\n`) }),
    diagnostics: async () => fakeAgent.diagnostics,
  }),
  new ForeignApi(fakeRest),
  new ForeignApi(fakeRest),
);

const flavor = (id: string, name: string, memoryMb: number, diskGb: number): FlavorSnapshot => ({
  id,
  name,
  vcpus: 1,
  memoryMb,
  diskGb,
  ephemeralGb: 0,
  swapMb: 0,
  rxtxFactor: 1,
  extraSpecs: {},
});

async function furnish(books: Books, db: Db, clock: Clock): Promise<void> {
  for (const made of [flavor('1', 'm1.nano', 128, 1), flavor('2', 'm1.micro', 192, 1), flavor('3', 'm1.zero', 64, 0)]) {
    const open = { isPublic: true, disabled: false, description: null };
    await books.flavors.insert(db, { ...made, ...open }, clock.now());
  }
  const node = {
    name: 'node-1',
    hypervisorId: '55555555-5555-4555-8555-555555555555',
    hypervisorType: 'QEMU',
    availabilityZone: 'nova',
  };
  const sizes = { vcpus: 8, memoryMb: 16_384, diskGb: 100, hypervisorVersion: 11_003_000 };
  const rest = { accel: 'tcg', accelReason: 'no /dev/kvm', address: '10.1.0.11', agentGrpc: '10.1.0.11:6001' };
  const cpuInfo = {
    vendor: 'AMD',
    model: 'EPYC',
    arch: 'x86_64',
    features: ['aes'],
    topology: { cores: 2, sockets: 1, threads: 1 },
  };
  await books.nodes.enrol(db, { ...node, ...sizes, ...rest, agentVersion: '0.1.0', cpuInfo, traits: [] }, clock.now());
}

/** Starts the API on a free port of loopback. `now` makes time stand still. */
export async function openStage(now?: () => Date, ids = randomIds): Promise<Stage> {
  const clock: Clock = { now: now ?? (() => new Date()) };
  const scratch = await scratchDatabase([flowMigrations, computeMigrations]);
  const { db } = scratch;
  const seal = new Seal(Buffer.alloc(32, 7));
  const books = new Books(db, seal);
  await furnish(books, db, clock);
  const app = await serveHttp(
    computeModule({ db, seal, peers: fakePeers, clock, ids, consoleBase: 'http://cloud.test/console' }),
    {
      ops: computeOps,
      rules: computeRules,
      dialect: computeDialect,
      verifier: tokens.verifier,
      publicBase: 'http://cloud/compute',
      log: openLog('compute', 'silent'),
      host: '127.0.0.1',
      port: 0,
      health: () => ({ ok: true }),
    },
  );
  const ask: Stage['ask'] = (method, path, options = {}) => inject(app, method, path, options);
  const close = async () => {
    await app.close();
    await scratch.drop();
  };
  return { app, books, scratch, seal, ask, boot: (options) => bootServer(ask, db, seal, clock, options), close };
}

async function inject(
  app: NestFastifyApplication,
  method: string,
  path: string,
  { as = DEMO, at, body }: { as?: Caller; at?: string; body?: unknown },
): Promise<Answer> {
  const reply = await app.inject({
    method: method as 'GET',
    url: path,
    headers: {
      'x-auth-token': tokenOf(as),
      ...(at ? { 'openstack-api-version': `compute ${at}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = reply.payload;
  return { status: reply.statusCode, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) };
}

export const ORDER = { name: 'server', imageRef: IMAGE, flavorRef: '1' };

async function bootServer(
  ask: Stage['ask'],
  db: Db,
  seal: Seal,
  clock: Clock,
  { as = DEMO, body = {} }: { as?: Caller; body?: Record<string, unknown> } = {},
): Promise<string> {
  const made = await ask('POST', '/v2.1/servers', { as, body: { server: { ...ORDER, ...body } } });
  if (made.status !== 202) throw new Error(JSON.stringify(made.body));
  const id = made.body.server.id as string;
  const now = clock.now();
  const port = { portId: PORT, networkId: NETWORK, network: 'demo', mac: 'fa:16:3e:00:00:01', mtu: 1500 };
  const fixedIps = [{ subnetId: GROUP, address: '10.0.0.5', version: 4 as const }];
  await new ServerRepo(seal).move(db, id, 'activated', now, {
    host: 'node-1',
    hypervisorId: '55555555-5555-4555-8555-555555555555',
    availabilityZone: 'nova',
    addresses: [{ ...port, adopted: false, tag: '', fixedIps }],
    securityGroups: [{ id: GROUP, name: 'default' }],
    powerState: 1,
    launchedAt: now,
    diskMade: true,
    forgetBootSecrets: true,
  });
  await db.exec(`update task set state = 'done', finished_at = now() where key = $1`, [`server/${id}`]);
  return id;
}
