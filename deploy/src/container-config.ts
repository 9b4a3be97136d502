/** All files of a container's /etc/yagura, from the parts that know each piece. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Authority } from './certificates.js';
import type { ConfigFiles } from './config-folder.js';
import { type Container, paths } from './container.js';
import { brokerFiles, databaseFiles } from './controller-config.js';
import {
  CONTROLLER_HOST,
  controllerAddress,
  type Deployment,
  fabricAddress,
  managementAddress,
  nodeNames,
} from './deployment.js';
import { edgeFiles } from './edge-config.js';
import { SERVED } from './layout.js';
import { libvirtFiles } from './node-config.js';
import type { Secrets } from './secrets.js';
import { agentFiles, consoleFiles, serviceFiles, simulatedFiles, tlsFiles } from './service-config.js';

export interface Sources {
  readonly root: string;
  readonly secrets: Secrets;
  readonly authority: Authority;
  readonly nowMs: number;
}

export async function containerFiles(d: Deployment, container: Container, sources: Sources): Promise<ConfigFiles> {
  return { ...accountFiles(d, container, sources.root), ...(await ownFiles(d, container, sources)) };
}

async function ownFiles(
  d: Deployment,
  container: Container,
  { root, secrets, authority, nowMs }: Sources,
): Promise<ConfigFiles> {
  if (container.name === 'edge') return edgeFiles(d);
  if (container.name === 'controller') {
    const definitions = join(paths(d, container.name).config, 'rabbitmq-definitions.json');
    return {
      ...databaseFiles(d),
      ...brokerFiles(d, secrets, definitions, numberOf(root, 'rabbitmq')),
      ...(await serviceFiles(d, secrets, authority, nowMs)),
      ...(await consoleFiles(d, authority, nowMs)),
      ...(await simulatedFiles(d, secrets, authority, nowMs)),
      ...(await tlsFiles(authority, 'ovn', [controllerAddress(d)], nowMs)),
    };
  }
  return { ...libvirtFiles(d, container.name), ...(await agentFiles(d, container.name, secrets, authority, nowMs)) };
}

/** Who is who, what is where, and what runs. */
function accountFiles(d: Deployment, container: Container, root: string): ConfigFiles {
  const users = container.name === 'controller' ? [...new Map(SERVED.map((s) => [`yagura-${s.service}`, s.uid]))] : [];
  const extended = (file: string, lines: readonly string[]) =>
    [readFileSync(join(root, 'etc', file), 'utf8').trimEnd(), ...lines, ''].join('\n');
  const names = [
    ['controller', controllerAddress(d)],
    ...nodeNames(d).map((name, i) => [name, managementAddress(d, CONTROLLER_HOST + 1 + i)]),
  ];
  const open = (text: string) => ({ text, open: true });
  return {
    passwd: open(
      extended(
        'passwd',
        users.map(([name, uid]) => `${name}:x:${uid}:${uid}::/nonexistent:/usr/sbin/nologin`),
      ),
    ),
    group: open(
      extended(
        'group',
        users.map(([name, uid]) => `${name}:x:${uid}:`),
      ),
    ),
    hosts: open(['127.0.0.1 localhost', ...names.map(([name, address]) => `${address} ${name}`), ''].join('\n')),
    'resolv.conf': open(''),
    processes: open(container.processes.map(({ name, script }) => `${name} ${script}\n`).join('')),
    env: open(environment(d, container)),
  };
}

function environment(d: Deployment, container: Container): string {
  if (!container.hypervisor) return '';
  const host = CONTROLLER_HOST + Number(container.name.slice('node-'.length));
  return `NODE=${container.name}\nOVN_SB=ssl:${controllerAddress(d)}:6643\nFABRIC_ADDRESS=${fabricAddress(d, host)}\n`;
}

function numberOf(root: string, user: string): number {
  const line = readFileSync(join(root, 'etc/passwd'), 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${user}:`));
  if (!line) throw new Error(`the root has no user ${user}`);
  return Number(line.split(':')[2]);
}
