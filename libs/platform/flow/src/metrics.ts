/** The runner's hooks as Prometheus metrics. Labels are kinds, steps and outcomes: few, and known beforehand. */
import type { Db } from '#libs/platform/db';
import { Counter, Gauge, Histogram, metrics } from '#libs/platform/log';
import { flowStatus } from './history.js';
import type { FlowHooks } from './hooks.js';

const SECONDS = [0.01, 0.05, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120];

/** Registers the metrics of this process's runner; call it once. The gauges ask the database when they are scraped. */
export function flowMetrics(db: Db): FlowHooks {
  const registers = [metrics];
  const waited = new Histogram({
    name: 'yagura_flow_wait_seconds',
    help: 'From when a task was due to its lease',
    labelNames: ['kind'],
    buckets: SECONDS,
    registers,
  });
  const stepped = new Histogram({
    name: 'yagura_flow_step_seconds',
    help: 'One try of one step',
    labelNames: ['kind', 'step', 'direction', 'outcome'],
    buckets: SECONDS,
    registers,
  });
  const ended = new Histogram({
    name: 'yagura_flow_task_seconds',
    help: 'From the insert of a task to its end',
    labelNames: ['kind', 'state'],
    buckets: SECONDS,
    registers,
  });
  const lost = new Counter({ name: 'yagura_flow_lost_total', help: 'Leases lost', labelNames: ['kind'], registers });
  gauges(db);
  return {
    leased: ({ kind, waitedMs }) => waited.observe({ kind }, Math.max(0, waitedMs) / 1000),
    stepped: ({ kind, step, direction, outcome, ms }) => stepped.observe({ kind, step, direction, outcome }, ms / 1000),
    ended: ({ kind, state, ms }) => ended.observe({ kind, state }, ms / 1000),
    lost: ({ kind }) => lost.inc({ kind }),
  };
}

function gauges(db: Db): void {
  const tasks = new Gauge({
    name: 'yagura_flow_tasks',
    help: 'Tasks that have not ended, and debts not settled',
    labelNames: ['state'],
    registers: [metrics],
    collect: async () => {
      const status = await flowStatus(db).catch(() => undefined);
      if (!status) return;
      for (const state of ['running', 'queued', 'stuck', 'debts'] as const) tasks.set({ state }, status[state]);
    },
  });
}
