/**
 * The log of usage audits. Nodes run none: what was used is asked of os-simple-tenant-usage. So every period is reported as
 * one in which no node has run an audit, which is what stock services say where it is switched off.
 */
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import { admin } from '../compute.rules.js';
import { NodeHandlers } from '../node/node.handlers.js';

const TIME = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,6})?$/;

/** Whole calendar months, as audits have them. */
function lastMonthBefore(at: Date): { begin: Date; end: Date } {
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return { begin: new Date(Date.UTC(year, month - 1, 1)), end: new Date(Date.UTC(year, month, 1)) };
}

const stamp = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ');

function timeIn(text: string): Date {
  const at = TIME.test(text) ? new Date(`${text.replace(' ', 'T')}Z`) : undefined;
  if (!at || Number.isNaN(at.getTime())) throw fail.invalid(`Invalid timestamp for date ${text.slice(0, 64)}`);
  return at;
}

async function logOf(handlers: NodeHandlers, at: Date): Promise<Record<string, unknown>> {
  const names = (await handlers.seen()).map(({ name }) => name);
  const { begin, end } = lastMonthBefore(at);
  return {
    period_beginning: stamp(begin),
    period_ending: stamp(end),
    num_hosts: names.length,
    num_hosts_done: 0,
    num_hosts_running: 0,
    num_hosts_not_run: names.length,
    hosts_not_run: names,
    total_instances: 0,
    total_errors: 0,
    overall_status: `${names.length === 0 ? 'ALL' : `0 of ${names.length}`} hosts done. 0 errors.`,
    log: {},
  };
}

export const instanceUsageAuditLogOps: readonly Op[] = [
  op(NodeHandlers, {
    method: 'GET',
    path: '/v2.1/os-instance_usage_audit_log',
    rule: admin('os-instance-usage-audit-log:list'),
    status: 200,
    run: async (handlers) => ({ body: { instance_usage_audit_logs: await logOf(handlers, handlers.now()) } }),
  }),
  op(NodeHandlers, {
    method: 'GET',
    path: '/v2.1/os-instance_usage_audit_log/:before',
    rule: admin('os-instance-usage-audit-log:show'),
    status: 200,
    run: async (handlers, call) => {
      const before = timeIn(call.params['before'] ?? '');
      return { body: { instance_usage_audit_log: await logOf(handlers, before) } };
    },
  }),
];
