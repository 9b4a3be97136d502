/** The gRPC service of the node: what compute and the operator's command ask it directly. */
import type { agentV1 } from '#libs/contract';
import { fail } from '#libs/kernel';
import type { Implementation } from '#libs/platform/grpc';
import type { HypervisorDriver, Inventory } from '../driver/driver.js';
import type { AgentNode } from './agent-node.js';

export interface ServedNode {
  readonly node: AgentNode;
  readonly driver: HypervisorDriver;
}

const NOTHING: Inventory = { domains: [], disks: [], taps: [], foreign: [] };

/** A node of this process; an empty name means the only one. */
export function servedNode(nodes: ReadonlyMap<string, ServedNode>, name: string): ServedNode {
  const served = name === '' && nodes.size === 1 ? [...nodes.values()][0] : nodes.get(name);
  if (!served) throw fail.notFound(`node ${name} is not here`);
  return served;
}

export function nodeService(nodes: ReadonlyMap<string, ServedNode>): Implementation<agentV1.NodeService> {
  const find = (name: string): ServedNode => servedNode(nodes, name);
  return {
    async consoleLog({ node, serverId, lines }) {
      return { output: await find(node).driver.consoleLog(serverId, lines) };
    },
    diagnostics: ({ node, serverId }) => find(node).driver.diagnostics(serverId),
    async holdImage({ node, imageId, url, sha256, size, diskFormat }) {
      const source = { imageId, url, sha256, size, diskFormat, virtualSize: 0 };
      return { held: await find(node).driver.holdImage(source) };
    },
    async inventory({ node: name }) {
      const { node, driver } = find(name);
      const { health } = driver;
      const seen = health === 'ok' ? await driver.inventory() : NOTHING;
      return {
        domains: seen.domains.map(({ serverId, power }) => ({ serverId, state: power, fence: node.fenceOf(serverId) })),
        diskServerIds: [...seen.disks],
        taps: seen.taps.map(({ portId, device }) => ({ portId, device })),
        unknown: await node.unknown(seen),
        libvirt: health,
      };
    },
  };
}
