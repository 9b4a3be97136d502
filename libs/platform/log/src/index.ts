/** JSON logs with the request id of the running context, and the process's metrics. Secrets are redacted by name. */
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { currentContext } from '#libs/kernel';

export type Log = import('pino').Logger;

const SECRET_FIELDS = [
  'password',
  'adminPass',
  'secret',
  'token',
  'authorization',
  'x-auth-token',
  'x-subject-token',
  'user_data',
  'private_key',
  'url',
];

/** A logger whose every line carries the process's name and the current request id. */
export function openLog(process: string, level = 'info'): Log {
  return pino({
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [`["${field}"]`, `*["${field}"]`]), censor: '***' },
    mixin: () => {
      const context = currentContext();
      return context ? { request_id: context.requestId } : {};
    },
  });
}

/** The process's metrics registry, served as /metrics. */
export const metrics = new Registry();
collectDefaultMetrics({ register: metrics });

export { Counter, Gauge, Histogram } from 'prom-client';
