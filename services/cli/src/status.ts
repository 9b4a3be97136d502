/** `yagura status`: what runs here, by pid files, and what each service says of itself and what it depends on. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { operatorV1 } from '#libs/contract';
import type { Cloud } from './cloud.js';
import { duration, print, table } from './table.js';

interface ProcessLine {
  readonly process: string;
  readonly pid: number;
  readonly state: 'running' | 'dead';
  readonly rssMb: number;
  readonly uptimeMs: number;
}

const TICKS_PER_SECOND = 100;

function uptimeOfMachine(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
}

/** Reads one pid file and what /proc says of it. */
function processOf(file: string, folder: string, machineUptimeMs: number): ProcessLine {
  const name = file.replace(/\.pid$/, '');
  const pid = Number(readFileSync(join(folder, file), 'utf8').trim().split(/\s/)[0]);
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    const startedMs = (Number(stat[19]) / TICKS_PER_SECOND) * 1000;
    return {
      process: name,
      pid,
      state: 'running',
      rssMb: Math.round((pages * 4096) / (1 << 20)),
      uptimeMs: machineUptimeMs - startedMs,
    };
  } catch {
    return { process: name, pid, state: 'dead', rssMb: 0, uptimeMs: 0 };
  }
}

function processes(state: string): ProcessLine[] {
  const folder = join(state, 'run');
  const machine = uptimeOfMachine();
  return readdirSync(folder)
    .filter((file) => file.endsWith('.pid'))
    .sort()
    .map((file) => processOf(file, folder, machine));
}

export async function status(cloud: Cloud, { output }: { output: 'table' | 'json' }): Promise<number> {
  const running = processes(cloud.state);
  const answers = await cloud.ask((operator) => operator.status({}), 'process');
  const lines = answers.flatMap(({ service, reply, error }): (operatorV1.StatusLine & { service: string })[] =>
    reply
      ? reply.lines.map((line) => ({ service: reply.process || service, ...line }))
      : [{ service, name: 'answers', state: 'down', detail: error ?? '' }],
  );
  const text = [
    table(
      ['PROCESS', 'STATE', 'PID', 'RSS', 'UP'],
      running.map((p) => [p.process, p.state, String(p.pid), `${p.rssMb} MB`, duration(p.uptimeMs)]),
    ),
    table(
      ['SERVICE', 'PART', 'STATE', 'DETAIL'],
      lines.map((line) => [line.service, line.name, line.state, line.detail]),
    ),
  ].join('\n');
  print(output, { processes: running, parts: lines }, text);
  return running.every((p) => p.state === 'running') && lines.every((line) => line.state === 'ok') ? 0 : 1;
}
