/** The configuration files of our own processes: services, agents and the operator's command. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority } from './certificates.js';
import type { ConfigFiles } from './config-folder.js';
import { agentUser, databaseOf, simulatedNames, VHOST } from './controller-config.js';
import { CONTROLLER_HOST, controllerAddress, type Deployment, managementAddress } from './deployment.js';
import { CONSOLE, SERVICE_NAMES, SERVICES, type ServiceName, SIMULATED } from './layout.js';
import type { Secrets } from './secrets.js';

export const REGION = 'RegionOne';
/** Where agents answer GET /healthz. */
export const AGENT_HTTP = 6801;
export const SIMULATED_HTTP = 6901;

/** What the catalog says of each service. */
export const endpoints = (d: Deployment): Record<ServiceName, string> => ({
  identity: `${d.publicUrl}/identity/v3`,
  image: `${d.publicUrl}/image`,
  network: `${d.publicUrl}/network`,
  placement: `${d.publicUrl}/placement`,
  compute: `${d.publicUrl}/compute/v2.1`,
});

export const peersAt = (address: string): Record<string, string[]> =>
  Object.fromEntries(
    SERVICE_NAMES.map((name) => [name, SERVICES.filter((s) => s.service === name).map((s) => `${address}:${s.grpc}`)]),
  );

const tlsIn = (folder: string, name: string) => ({
  ca: `${folder}/ca.crt`,
  cert: `${folder}/${name}.crt`,
  key: `${folder}/${name}.key`,
});
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
/** The name by which OVN's bridge mappings on each node know the external network. */
export const EXTERNAL_NETWORK = 'public';
const CONTAINER_TLS = '/etc/yagura/tls';

/** Options that only one service understands. */
function serviceOptions(d: Deployment, service: ServiceName, secrets: Secrets): object {
  switch (service) {
    case 'identity':
      return {
        signingKeys: [{ kid: 'k1', privatePem: secrets.signingKey('identity-signing-key'), current: true }],
        sealingKeys: [{ id: 's1', secret: secrets.text('identity-sealing-key'), current: true }],
        bootstrap: {
          adminPassword: secrets.text('admin-password'),
          demoPassword: secrets.text('demo-password'),
          region: REGION,
          endpoints: endpoints(d),
        },
      };
    case 'image':
      return {
        urlSigningKey: secrets.bytes('image-url-key'),
        imageBaseUrl: `http://${controllerAddress(d)}:9292`,
        storeDir: '/var/lib/yagura/image/store',
      };
    case 'network':
      return {
        ovnNb: 'tcp:127.0.0.1:6641',
        ovnSb: 'tcp:127.0.0.1:6642',
        physicalNetworks: [{ name: EXTERNAL_NETWORK, mtu: 1500, vlans: [100, 299] }],
        metadataSecret: secrets.text('metadata-secret'),
      };
    default:
      return {};
  }
}

/** The files of every service process in the controller. */
export async function serviceFiles(
  d: Deployment,
  secrets: Secrets,
  authority: Authority,
  nowMs: number,
): Promise<ConfigFiles> {
  const files: Record<string, ConfigFiles[string]> = {};
  for (const { service, process, http, grpc, uid } of SERVICES) {
    const config = {
      process,
      service,
      node: null,
      publicUrl: d.publicUrl,
      region: REGION,
      http: { host: '0.0.0.0', port: http },
      grpc: { host: '0.0.0.0', port: grpc },
      tls: tlsIn(CONTAINER_TLS, service),
      database: `postgres://${service}:${secrets.text(`db-${service}`)}@127.0.0.1:5432/${databaseOf(service)}`,
      amqp: `amqp://${service}:${secrets.text(`amqp-${service}`)}@127.0.0.1:5672/${VHOST}`,
      peers: peersAt('127.0.0.1'),
      stateDir: `/var/lib/yagura/${process}`,
      logLevel: 'info',
      options: serviceOptions(d, service, secrets),
    };
    files[`${process}.json`] = { text: json(config), uid };
    Object.assign(files, await tlsFiles(authority, service, [controllerAddress(d)], nowMs, uid));
  }
  return files;
}

/** The process that serves consoles, which asks compute and the agents, and nobody else. */
export async function consoleFiles(d: Deployment, authority: Authority, nowMs: number): Promise<ConfigFiles> {
  const { service, process, http, uid } = CONSOLE;
  const config = {
    process,
    service,
    publicUrl: d.publicUrl,
    http: { host: '0.0.0.0', port: http },
    tls: tlsIn(CONTAINER_TLS, service),
    peers: { compute: peersAt('127.0.0.1')['compute'] },
    stateDir: `/var/lib/yagura/${process}`,
    logLevel: 'info',
  };
  const tls = await tlsFiles(authority, service, [controllerAddress(d)], nowMs, uid);
  return { [`${process}.json`]: { text: json(config), uid }, ...tls };
}

/** Certificate and key of one process, as files of a container. */
export async function tlsFiles(
  authority: Authority,
  name: string,
  addresses: readonly string[],
  nowMs: number,
  uid = 0,
): Promise<ConfigFiles> {
  const { cert, key } = await authority.issue(name, addresses, nowMs);
  return {
    'tls/ca.crt': { text: readFileSync(authority.ca, 'utf8'), open: true },
    [`tls/${name}.crt`]: { text: readFileSync(cert, 'utf8'), open: true },
    [`tls/${name}.key`]: { text: readFileSync(key, 'utf8'), uid },
  };
}

/** The agent of a node, which knows its own name, its own broker user and its own certificate, and no other secret. */
export async function agentFiles(
  d: Deployment,
  node: string,
  secrets: Secrets,
  authority: Authority,
  nowMs: number,
): Promise<ConfigFiles> {
  const address = managementAddress(d, CONTROLLER_HOST + Number(node.slice('node-'.length)));
  const config = {
    process: 'agent',
    service: 'agent',
    node,
    publicUrl: d.publicUrl,
    region: REGION,
    http: { host: address, port: AGENT_HTTP },
    grpc: { host: address, port: 6800 },
    tls: tlsIn(CONTAINER_TLS, node),
    amqp: `amqp://${agentUser(node)}:${secrets.text(`amqp-${agentUser(node)}`)}@${controllerAddress(d)}:5672/${VHOST}`,
    peers: peersAt(controllerAddress(d)),
    stateDir: '/var/lib/yagura/agent',
    logLevel: 'info',
    options: {
      node,
      driver: 'libvirt',
      availabilityZone: 'nova',
      virtType: 'auto',
      libvirtSocket: '/run/libvirt/libvirt-sock',
      ovsSocket: 'unix:/run/openvswitch/db.sock',
      bridge: 'br-int',
      nodeAddress: address,
      imageBaseUrl: `http://${controllerAddress(d)}:9292`,
    },
  };
  return { 'agent.json': { text: json(config) }, ...(await tlsFiles(authority, node, [address], nowMs)) };
}

/** One process that is many nodes: a broker user each, and one certificate that may speak for all of them. */
export async function simulatedFiles(
  d: Deployment,
  secrets: Secrets,
  authority: Authority,
  nowMs: number,
): Promise<ConfigFiles> {
  if (d.simulated === 0) return {};
  const address = controllerAddress(d);
  const password = secrets.text(`amqp-${agentUser(SIMULATED)}`);
  const nodes = simulatedNames(d).map((name) => ({
    name,
    amqp: `amqp://${agentUser(name)}:${password}@127.0.0.1:5672/${VHOST}`,
    tls: tlsIn(CONTAINER_TLS, SIMULATED),
  }));
  const config = {
    process: SIMULATED,
    service: 'agent',
    node: null,
    publicUrl: d.publicUrl,
    region: REGION,
    http: { host: address, port: SIMULATED_HTTP },
    grpc: { host: address, port: 6900 },
    tls: tlsIn(CONTAINER_TLS, SIMULATED),
    amqp: nodes[0]?.amqp,
    peers: peersAt('127.0.0.1'),
    stateDir: `/var/lib/yagura/${SIMULATED}`,
    logLevel: 'info',
    options: {
      driver: 'fake',
      nodeAddress: address,
      imageBaseUrl: `http://${address}:9292`,
      // Beside real nodes they are a zone of their own, where no server lands that did not ask for it.
      availabilityZone: d.nodes > 0 ? 'simulated' : 'nova',
      nodes,
    },
  };
  return {
    [`${SIMULATED}.json`]: { text: json(config) },
    ...(await tlsFiles(authority, SIMULATED, [address], nowMs)),
  };
}

/** The operator's command runs on the machine itself. */
export async function cliConfig(d: Deployment, authority: Authority, nowMs: number): Promise<string> {
  await authority.issue('cli', [], nowMs);
  return json({
    process: 'cli',
    service: 'cli',
    publicUrl: d.publicUrl,
    region: REGION,
    tls: tlsIn(join(d.state, 'tls'), 'cli'),
    peers: peersAt(controllerAddress(d)),
    stateDir: d.state,
  });
}
