/** `yagura node list`: the compute nodes as compute knows them. */
import type { Cloud } from './cloud.js';
import { duration, print, table } from './table.js';

export async function listNodes(cloud: Cloud, { output }: { output: 'table' | 'json' }): Promise<number> {
  const compute = (await cloud.ask((operator) => operator.books({}, { deadlineMs: 20_000 }))).find(
    ({ service }) => service === 'compute',
  );
  if (!compute?.reply) throw new Error(`compute does not answer: ${compute?.error ?? 'no address'}`);
  const now = Date.now();
  const servers = (node: string): number =>
    compute.reply?.rows.filter((row) => row.kind === 'server' && row.node === node).length ?? 0;
  const nodes = compute.reply.rows
    .filter((row) => row.kind === 'node')
    .map(
      (row) =>
        ({ name: row.id, state: row.state, ...row.facts, servers: String(servers(row.id)) }) as Record<
          string,
          string
        > & { name: string; state: string },
    )
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const text = table(
    ['NODE', 'STATE', 'ACCEL', 'VCPUS', 'MEMORY', 'DISK', 'SERVERS', 'HEARD', 'REASON'],
    nodes.map((node) => [
      node.name,
      node.state,
      node['accel'] ?? '',
      node['vcpus'] ?? '',
      `${node['memory_mb'] ?? '?'} MB`,
      `${node['disk_gb'] ?? '?'} GB`,
      node['servers'] ?? '',
      node['last_seen_ms'] ? `${duration(now - Number(node['last_seen_ms']))} ago` : 'never',
      node['reason'] || (node['accel'] === 'kvm' ? '' : (node['accel_reason'] ?? '')),
    ]),
  );
  print(output, { nodes }, text);
  return nodes.every((node) => node.state === 'up') ? 0 : 1;
}
