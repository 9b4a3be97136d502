/** The agent's process: one node, or many that are simulated, each with its own ledger, driver and ties to compute. */
import { mkdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { agentConsoleV1, agentV1 } from '#libs/contract';
import { bind, serveGrpc } from '#libs/platform/grpc';
import { type Log, metrics } from '#libs/platform/log';
import type { AgentConfig, NodeIdentity } from './config.js';
import { consoleService } from './console/console-service.js';
import { Limiter } from './driver/limiter.js';
import { makeDriver } from './drivers.js';
import { Ledger } from './fence/ledger.js';
import { AgentNode } from './node/agent-node.js';
import { type LinkOptions, NodeLink } from './node/link.js';
import { nodeService, type ServedNode, servedNode } from './node/node-service.js';

/** Who may ask a node directly. */
const CALLERS = new Set(['compute', 'cli']);

/** What the nodes of one process have in common. */
type Shared = Pick<LinkOptions, 'version' | 'enrolments'>;

const ENROLMENTS_AT_A_TIME = 8;

interface Running extends ServedNode {
  readonly link: NodeLink;
}

export interface Daemon {
  /** Servers on all nodes of this process. */
  servers(): number;
  stop(): Promise<void>;
}

export async function startDaemon(config: AgentConfig, log: Log): Promise<Daemon> {
  const version = await ownVersion();
  const enrolments = new Limiter(ENROLMENTS_AT_A_TIME);
  const nodes = new Map<string, Running>();
  for (const identity of config.nodes)
    nodes.set(identity.name, await startNode(config, identity, { version, enrolments }, log));
  const service = bind(agentV1.NodeService, nodeService(nodes), (peer) => CALLERS.has(peer), log);
  const consoles = bind(
    agentConsoleV1.ConsolesService,
    consoleService((name) => servedNode(nodes, name).driver),
    (peer) => peer === 'console',
    log,
  );
  const stopGrpc = await serveGrpc({ ...config.process.grpc, tls: config.process.tls, log }, [service, consoles]);
  const http = config.process.http ? await serveHealth(config.process.http, nodes) : undefined;
  log.info({ nodes: nodes.size }, 'the agent is up');
  return {
    servers: () => [...nodes.values()].reduce((sum, one) => sum + one.node.servers, 0),
    async stop() {
      await stopGrpc();
      http?.close();
      await Promise.all([...nodes.values()].map((one) => stopNode(one)));
    },
  };
}

async function stopNode({ link, node }: Running): Promise<void> {
  await link.stop();
  await node.stop();
}

async function startNode(config: AgentConfig, identity: NodeIdentity, shared: Shared, log: Log): Promise<Running> {
  const { options } = config;
  const { stateDir, peers, grpc } = config.process;
  const own = options.nodes ? join(stateDir, identity.name) : stateDir;
  await mkdir(own, { recursive: true });
  const nodeLog = options.nodes ? log.child({ node: identity.name }) : log;
  const driver = await makeDriver(options, own, nodeLog);
  // Simulated guests do not survive the machine either, so only the process's death counts for their fences.
  const ledger = await Ledger.open(join(own, 'fences'), options.driver !== 'fake');
  const link = new NodeLink({
    identity,
    computeAddresses: peers?.['compute'] ?? [],
    stateDir: own,
    address: options.nodeAddress,
    agentGrpc: `${options.nodes && grpc.host !== '0.0.0.0' ? grpc.host : options.nodeAddress}:${grpc.port}`,
    ...shared,
    availabilityZone: options.availabilityZone,
    log: nodeLog,
  });
  const node = new AgentNode({
    name: identity.name,
    driver,
    ledger,
    compute: link,
    reports: link,
    log: nodeLog,
    patienceMs: options.patienceMs,
  });
  await node.start();
  link.start(node, driver);
  return { node, driver, link };
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8').catch(() => '{}');
  const { version } = JSON.parse(text) as { version?: string };
  return version ?? '0';
}

function serveHealth(listen: { host: string; port: number }, nodes: ReadonlyMap<string, Running>): Promise<Server> {
  const server = createServer(async (request, response) => {
    if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.metrics());
      return;
    }
    const ill = [...nodes.values()]
      .filter((one) => one.driver.health !== 'ok')
      .map((one) => `${one.node.name}: ${one.driver.health}`);
    const found = request.url === '/healthz';
    response.writeHead(found ? (ill.length ? 503 : 200) : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ? { status: ill.length ? 'ill' : 'ok', ill } : {}));
  });
  return new Promise((resolve) => server.listen(listen.port, listen.host, () => resolve(server)));
}
