/** What a container is: its place in the network, its processes, what it may do, and what it sees of the outside. */
import { join } from 'node:path';
import type { Deployment } from './deployment.js';

/** A supervised process: its name, and which of deploy/container/processes/*.sh starts it. */
export interface ContainerProcess {
  readonly name: string;
  readonly script: string;
}

export interface DataFolder {
  /** Below var/data/<container>. */
  readonly from: string;
  /** Where it appears inside. */
  readonly to: string;
  /** A folder of the root that fills it the first time. */
  readonly seed?: string;
}

export interface Container {
  readonly name: string;
  readonly processes: readonly ContainerProcess[];
  /** Undefined: the machine's own network. */
  readonly interfaces?: readonly Interface[];
  readonly capabilities: readonly string[];
  readonly data: readonly DataFolder[];
  /** Single files of its configuration that must also appear elsewhere: name in /etc/yagura -> path. */
  readonly files: Readonly<Record<string, string>>;
  /** Runs guests: devices, and control groups of its own that it may write. */
  readonly hypervisor: boolean;
}

/** Management, fabric (tunnels between nodes) and external (what floating IPs are from). */
export type BridgeKind = 'm' | 'f' | 'x';

export interface Interface {
  readonly name: string;
  readonly bridge: BridgeKind;
  readonly host: number;
  /** Absent: the interface is handed to Open vSwitch. */
  readonly address?: string;
}

export const cgroupOf = (d: Deployment): string => `yagura-${d.id}`;
export const runcId = (d: Deployment, name: string): string => `yagura-${d.id}-${name}`;
export const namespaceOf = (d: Deployment, name: string): string => `yg${d.id}-${name}`;

export const paths = (d: Deployment, name: string) => ({
  home: join(d.state, 'containers', name),
  config: join(d.state, 'config', name),
  data: join(d.state, 'data', name),
  run: join(d.state, 'run', name),
  log: join(d.state, 'log', name),
  scan: join(d.state, 'run', 'sv', name),
});

export const runcRoot = (d: Deployment): string => join(d.state, 'run', 'runc');
