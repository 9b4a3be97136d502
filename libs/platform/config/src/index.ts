/**
 * One JSON file per process, named by YAGURA_CONFIG and readable by its owner alone. What it must hold is a TypeBox
 * schema; a file that does not fit ends the process with a sentence that names the field.
 */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { type Static, type TSchema, Type } from 'typebox';

const Listen = Type.Object({ host: Type.String(), port: Type.Integer({ minimum: 1, maximum: 65535 }) });

export const TlsFiles = Type.Object({ ca: Type.String(), cert: Type.String(), key: Type.String() });
export type TlsFiles = Static<typeof TlsFiles>;

const Base = Type.Object({
  process: Type.String({ minLength: 1 }),
  service: Type.String({ minLength: 1 }),
  publicUrl: Type.Optional(Type.String()),
  region: Type.Optional(Type.String()),
  http: Type.Optional(Listen),
  grpc: Type.Optional(Listen),
  tls: TlsFiles,
  database: Type.Optional(Type.String()),
  amqp: Type.Optional(Type.String()),
  peers: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
  stateDir: Type.String(),
  logLevel: Type.Optional(Type.String()),
  options: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

export type ProcessConfig = Static<typeof Base>;
export type ServiceConfig = Required<Omit<ProcessConfig, 'amqp' | 'logLevel' | 'options'>> &
  Pick<ProcessConfig, 'amqp' | 'logLevel' | 'options'>;

/** Validates any value; throws an Error that names the first field that does not fit. */
export function validated<S extends TSchema>(schema: S, value: unknown, what: string): Static<S> {
  const ajv = new Ajv({ strict: false, useDefaults: true });
  if (!ajv.validate(schema, value)) throw new Error(`${what}: ${ajv.errorsText(undefined, { dataVar: 'config' })}`);
  return value as Static<S>;
}

/** Reads the process's configuration. Throws an Error fit for the operator's eyes. */
export function readConfig(path = process.env['YAGURA_CONFIG']): ProcessConfig {
  if (!path) throw new Error('YAGURA_CONFIG must name the configuration file of this process');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path} can not be read as JSON`, { cause });
  }
  return validated(Base, value, path);
}

/** The configuration of a service, which needs its HTTP and gRPC listeners, database and peers. */
export function readServiceConfig(path = process.env['YAGURA_CONFIG']): ServiceConfig {
  const config = readConfig(path);
  for (const field of ['publicUrl', 'region', 'http', 'grpc', 'database', 'peers'] as const) {
    if (config[field] === undefined) throw new Error(`${path}: config/${field} is missing`);
  }
  return config as ServiceConfig;
}

export { productVersion } from './version.js';
