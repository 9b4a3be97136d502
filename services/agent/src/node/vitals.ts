import { loadavg, uptime } from 'node:os';

/** Of the machine the agent runs on, as `uptime` words the load. */
export function uptimeAndLoad(): { loadAverage: string; uptimeS: number } {
  const load = loadavg().map((value) => value.toFixed(2));
  return { loadAverage: load.join(', '), uptimeS: Math.floor(uptime()) };
}
