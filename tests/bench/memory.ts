/**
 * Proportional memory of a cloud's processes (those of its pid files and all below them), guests apart.
 * Use: node tests/bench/memory.ts [state folder]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const state = process.argv[2] ?? 'var';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const parents = new Map(
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => [
      Number(pid),
      Number(
        read(`/proc/${pid}/stat`)
          .replace(/^.*\) /s, '')
          .split(' ')[1],
      ),
    ]),
);
const roots = new Map(
  readdirSync(join(state, 'run'))
    .filter((file) => file.endsWith('.pid'))
    .map((file) => [
      Number(
        read(join(state, 'run', file))
          .trim()
          .split(/\s/)[0],
      ),
      file.replace(/\.pid$/, ''),
    ]),
);

/** The nearest process above (or itself) that has a pid file. */
function ownerOf(pid: number): string | undefined {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
    const name = roots.get(at);
    if (name) return name;
  }
  return undefined;
}

const sums = new Map<string, number>();
for (const pid of parents.keys()) {
  const owner = ownerOf(pid);
  if (!owner) continue;
  const guest = read(`/proc/${pid}/comm`).startsWith('qemu-system');
  const kb = Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
  const name = guest ? '(guests)' : owner;
  sums.set(name, (sums.get(name) ?? 0) + kb);
}
const rows = [...sums].sort((a, b) => b[1] - a[1]);
for (const [name, kb] of rows) console.log(`${(kb / 1024).toFixed(0).padStart(6)} MiB  ${name}`);
const total = rows.filter(([name]) => name !== '(guests)').reduce((sum, [, kb]) => sum + kb, 0);
console.log(`${(total / 1024).toFixed(0).padStart(6)} MiB  total without guests`);
