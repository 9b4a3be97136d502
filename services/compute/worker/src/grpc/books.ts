/** The books of compute for the auditor: what it believes, and what each node says is really there. */
import { operatorV1 } from '#libs/contract';
import { publicMessage } from '#libs/kernel';
import type { Sql } from '#libs/platform/db';
import { openDebts, taskHistory } from '#libs/platform/flow';
import type { BookRepo, NodeRepo, StandingRepo } from '#services/compute/data';
import type { Node } from '#services/compute/domain';
import type { AgentOf } from '../peers.js';

type Row = operatorV1.BookRow;

interface Deps {
  readonly db: Sql;
  readonly nodes: NodeRepo;
  readonly standings: StandingRepo;
  readonly books: BookRepo;
  readonly agentOf: AgentOf<'inventory'>;
}

const row = (kind: string, id: string, more: Partial<Row> = {}): Row =>
  operatorV1.BookRow.fromPartial({ kind, id, ...more });
const INVENTORY_MS = 4_000;
/** Nodes asked at once. */
const AT_ONCE = 16;

/**
 * Nodes are asked first and the servers read last: what a delete or a create has changed in between then shows as a server
 * with a running task or as one that is gone from both.
 */
export async function books(deps: Deps): Promise<Row[]> {
  const busyBefore = await deps.books.busyServers(deps.db);
  const nodes = await deps.nodes.list(deps.db);
  const onNodes = await inventories(deps, nodes);
  const [servers, busyAfter, stuck, debts, usage] = await Promise.all([
    deps.books.servers(deps.db),
    deps.books.busyServers(deps.db),
    taskHistory(deps.db, { state: 'stuck' }),
    openDebts(deps.db),
    deps.standings.usage(deps.db),
  ]);
  const busy = new Set([...busyBefore, ...busyAfter]);
  return [
    ...servers.map(({ id, host, vmState }) =>
      row('server', id, { node: host ?? '', state: vmState, facts: busy.has(id) ? { task: 'running' } : {} }),
    ),
    ...[...busy].map((id) => row('task_running', id, { serverId: id })),
    ...onNodes,
    ...stuck.map((task) =>
      row('task_stuck', task.id, {
        serverId: keyed(task.key),
        facts: { kind: task.kind, error: task.trouble ?? task.failure ?? '' },
      }),
    ),
    ...debts.map((debt) =>
      row('debt', String(debt.id), {
        serverId: keyed(debt.key),
        node: debt.creditor,
        facts: { what: `${debt.kind}: ${debt.direction === 'undo' ? 'undo ' : ''}${debt.step}` },
      }),
    ),
    ...usage.flatMap(({ projectId, recorded, counted }) =>
      (['instances', 'cores', 'ram'] as const).map((resource) =>
        row('usage', `${projectId}/${resource}`, {
          facts: { recorded: String(recorded[resource]), counted: String(counted[resource]) },
        }),
      ),
    ),
  ];
}

const keyed = (key: string): string => key.slice(key.indexOf('/') + 1);

async function inventories(deps: Deps, nodes: readonly Node[]): Promise<Row[]> {
  const rows: Row[] = [];
  const left = [...nodes];
  const ask = async (): Promise<void> => {
    for (let node = left.shift(); node; node = left.shift()) rows.push(...(await inventory(deps, node)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return rows;
}

async function inventory(deps: Deps, node: Node): Promise<Row[]> {
  const { name } = node;
  if (node.state === 'down') return [nodeRow(node, 'the node is down')];
  try {
    const found = await deps.agentOf(node).inventory({ node: name }, { deadlineMs: INVENTORY_MS });
    return [
      nodeRow(node, found.libvirt === 'ok' || found.libvirt === '' ? 'ok' : found.libvirt),
      ...found.domains.map((domain) =>
        row('domain', domain.serverId, { serverId: domain.serverId, node: name, state: domain.state }),
      ),
      ...found.diskServerIds.map((id) => row('disk', id, { serverId: id, node: name })),
      ...found.taps.map((tap) => row('tap', tap.portId, { node: name, facts: { device: tap.device } })),
      ...found.unknown.map((id) => row('quarantine', id, { node: name })),
    ];
  } catch (error) {
    return [nodeRow(node, publicMessage(error))];
  }
}

function nodeRow(node: Node, inventoryState: string): Row {
  const reason = node.state === 'down' ? node.stateReason : (node.disabledReason ?? '');
  return row('node', node.name, {
    node: node.name,
    state: node.state === 'up' && node.disabled ? 'disabled' : node.state,
    facts: {
      inventory: inventoryState,
      hypervisor_id: node.hypervisorId,
      accel: node.accel,
      accel_reason: node.accelReason,
      vcpus: String(node.vcpus),
      memory_mb: String(node.memoryMb),
      disk_gb: String(node.diskGb),
      last_seen_ms: String(node.lastSeen.getTime()),
      version: node.agentVersion,
      reason,
      zone: node.availabilityZone,
      trouble: node.trouble ?? '',
    },
  });
}
