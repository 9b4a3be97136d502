import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { check, sentence } from './check.js';
import { PLACES } from './places.js';
import { readWorkspace, workspaceOf } from './workspace.js';

const PACKAGES = JSON.stringify({
  dependencies: { typeorm: '1', pg: '1', fastify: '1', '@nestjs/common': '1' },
  devDependencies: { vitest: '1' },
});
const project = (root: string, scope: string, layer: string): readonly [string, string] => [
  `${root}/project.json`,
  JSON.stringify({ name: root.replaceAll('/', '-'), root, tags: [`scope:${scope}`, `layer:${layer}`] }),
];
const PROJECTS = [
  project('libs/kernel', 'shared', 'kernel'),
  project('libs/wire', 'shared', 'wire'),
  project('libs/testing', 'shared', 'testing'),
  project('libs/contract', 'shared', 'contract'),
  project('libs/audit', 'shared', 'kernel'),
  project('services/a/domain', 'a', 'domain'),
  project('services/a/data', 'a', 'data'),
  project('services/a/worker', 'a', 'worker'),
  project('services/a/api', 'a', 'api'),
  project('services/a/app', 'a', 'app'),
  project('services/b/domain', 'b', 'domain'),
  project('services/agent', 'agent', 'agent'),
] as const;

/** The problems of a sound tree with these files put in, as `rule` or `rule message`. */
function problems(files: Readonly<Record<string, string>>): { rule: string; path: string; message: string }[] {
  const faces = PROJECTS.map(([path]) => [path.replace('project.json', 'src/index.ts'), 'export {};'] as const);
  return check(workspaceOf(new Map([...PROJECTS, ...faces, ...Object.entries(files)]), PACKAGES), []);
}
const rules = (files: Readonly<Record<string, string>>): string[] => problems(files).map((problem) => problem.rule);

const DOMAIN = 'services/a/domain/src/thing.ts';
const DATA = 'services/a/data/src/thing.ts';
const API = 'services/a/api/src/thing.ts';
const WORKER = 'services/a/worker/src/thing.ts';
const FLOW = 'services/a/worker/src/thing-create.flow.ts';
const TEST = 'services/a/domain/src/thing.test.ts';

describe('the broken tree', () => {
  it('fails in every way that it was broken', () => {
    const root = new URL('../fixtures/broken', import.meta.url).pathname;
    const golden = new URL('./broken.golden.txt', import.meta.url).pathname;
    const found = `${check(readWorkspace(root), []).map(sentence).join('\n')}\n`;
    if (process.env['UPDATE_GOLDEN']) writeFileSync(golden, found);
    expect(found).toBe(readFileSync(golden, 'utf8'));
  });

  it('is not found in a sound one', () => expect(problems({})).toEqual([]));
});

describe('layers', () => {
  it.each([
    ['the kernel sees nothing', 'libs/kernel/src/x.ts', '#libs/wire'],
    ['a domain sees no data', DOMAIN, '#services/a/data'],
    ['a domain sees no wire', DOMAIN, '#libs/wire'],
    ['data sees no worker', DATA, '#services/a/worker'],
    ['data sees no contract', DATA, '#libs/contract'],
    ['a worker sees no api', WORKER, '#services/a/api'],
    ['an api sees no worker', API, '#services/a/worker'],
    ['an agent sees no service', 'services/agent/src/x.ts', '#services/a/domain'],
    ['a service sees no other', API, '#services/b/domain'],
    ['nobody sees an app', API, '#services/a/app'],
    ['wire sees no domain', 'libs/wire/src/x.ts', '#services/a/domain'],
    ['only tests see testing', DATA, '#libs/testing'],
    ['a name must be a project', DATA, '#services/a/domain/src/image'],
    ['a project does not import itself by name', DATA, '#services/a/data'],
  ])('%s', (_name, path, specifier) => {
    for (const text of [
      `import '${specifier}';`,
      `import { x } from '${specifier}';`,
      `import type { X } from '${specifier}';`,
      `export * from '${specifier}';`,
      `export { x } from '${specifier}';`,
      `export type { X } from '${specifier}';`,
      `export const x = () => import('${specifier}');`,
      `export const x = () => import(\`${specifier}\`);`,
      `export type X = import('${specifier}').X;`,
      `export class X { @Y() async z() { await import('${specifier}'); } }`,
    ])
      expect(rules({ [path]: text }), text).toContain('layer');
  });

  it.each([
    [DOMAIN, '#libs/kernel'],
    [DATA, '#services/a/domain'],
    [WORKER, '#services/a/data'],
    [WORKER, '#libs/contract'],
    [API, '#services/a/data'],
    [API, '#libs/wire'],
    ['services/a/app/src/main.ts', '#services/a/worker'],
    ['services/a/app/src/main.ts', '#services/a/api'],
    ['services/agent/src/x.ts', '#libs/contract'],
    ['services/a/data/src/x.itest.ts', '#libs/testing'],
    ['libs/audit/src/x.ts', '#libs/kernel'],
  ])('lets %s import %s', (path, specifier) => {
    expect(problems({ [path]: `import { x } from '${specifier}'; export { x };` })).toEqual([]);
  });

  it('keeps paths inside their project, and names complete', () => {
    expect(rules({ [DATA]: `import '../../domain/src/index.js';` })).toEqual(['layer']);
    expect(rules({ [DATA]: `import './other';` })).toEqual(['layer']);
    expect(rules({ 'services/a/data/src/x.itest.ts': `import '../../domain/src/y.fixture.js';` })).toEqual([]);
    expect(rules({ 'services/a/data/src/x.itest.ts': `import '../../../b/domain/src/y.fixture.js';` })).toEqual([
      'layer',
    ]);
  });

  it('keeps fixtures for tests', () => {
    const fixture = { 'services/a/data/src/y.fixture.ts': 'export const y = 1;' };
    expect(rules({ ...fixture, [DATA]: `import './y.fixture.js';` })).toEqual(['test-only']);
    expect(rules({ ...fixture, 'services/a/data/src/y.test.ts': `import './y.fixture.js';` })).toEqual([]);
  });

  it('finds circles', () => {
    const found = problems({
      'libs/kernel/src/x.ts': `import '#libs/audit';`,
      'libs/audit/src/x.ts': `import '#libs/kernel';`,
    });
    expect(found).toMatchObject([{ rule: 'cycle', message: 'libs-kernel -> libs-audit -> libs-kernel' }]);
  });

  it('wants the module of an import() in plain words', () => {
    expect(rules({ [DATA]: `export const x = (name: string) => import(name);` })).toEqual(['dynamic-import']);
    expect(rules({ [DATA]: `export const x = (name: string) => import(\`./\${name}.js\`);` })).toEqual([
      'dynamic-import',
    ]);
  });
});

describe('packages', () => {
  it.each([
    [API, `import pg from 'pg';`],
    [DATA, `import pg from 'pg';`],
    [API, `import fastify from 'fastify';`],
    [API, `import { type FastifyInstance } from 'fastify';`],
    [WORKER, `import '@nestjs/common';`],
    [DOMAIN, `import { readFileSync } from 'node:fs';`],
    [API, `import 'node:net';`],
    [DATA, `import 'fs';`],
    [DATA, `import 'unheard-of';`],
    [DATA, `import { it } from 'vitest';`],
    [DATA, `export * from 'typeorm/driver/x.js'; import('pg');`],
    [TEST, `import 'node:vm';`],
    [TEST, `import 'unheard-of';`],
  ])('refuses in %s: %s', (path, text) => {
    expect(rules({ [path]: text })).toEqual(['package']);
  });

  it.each([
    [DATA, `import { Entity } from 'typeorm'; import { readFile } from 'node:fs/promises';`],
    [API, `import type { FastifyInstance } from 'fastify'; import { Injectable } from '@nestjs/common';`],
    [DOMAIN, `import { createHash } from 'node:crypto';`],
    [TEST, `import { it } from 'vitest'; import { readFileSync } from 'node:fs';`],
  ])('allows in %s: %s', (path, text) => {
    expect(problems({ [path]: text })).toEqual([]);
  });
});

describe('bans', () => {
  it.each([
    ['time-is-an-input', DOMAIN, 'export const x = Date.now();'],
    ['time-is-an-input', DOMAIN, 'export const x = Date["now"];'],
    ['time-is-an-input', DOMAIN, 'export const x = () => new Date();'],
    ['time-is-an-input', FLOW, 'export const x = performance.now();'],
    ['time-is-an-input', 'libs/kernel/src/x.ts', 'export const x = Date.now;'],
    ['ids-are-inputs', FLOW, `import { randomUUID } from 'node:crypto';`],
    ['ids-are-inputs', DOMAIN, `import { randomUUID as id } from 'node:crypto';`],
    ['ids-are-inputs', DOMAIN, `import * as crypto from 'node:crypto';`],
    ['ids-are-inputs', DOMAIN, 'export const x = crypto.randomUUID();'],
    ['chance-is-an-input', DOMAIN, 'export const x = Math.random();'],
    ['no-effects-in-domain', DOMAIN, 'export const x = fetch("http://x");'],
    ['no-effects-in-domain', FLOW, 'setTimeout(() => 1, 5);'],
    ['no-code-from-text', TEST, 'eval("1");'],
    ['no-code-from-text', DATA, 'export const x = globalThis.eval;'],
    ['no-code-from-text', DATA, 'export const x = new Function("1");'],
    ['no-code-from-text', DATA, 'setTimeout("x()", 5);'],
    ['no-typeorm-save', DATA, 'export const x = (repo: R) => repo.save(1);'],
    ['no-typeorm-save', WORKER, 'export const x = (m: M) => m.getRepository(X).save(1);'],
    ['no-shell', 'services/agent/src/x.ts', `import { exec } from 'node:child_process';`],
    ['no-shell', 'services/agent/src/x.ts', 'spawn("x", [], { shell: true });'],
    ['no-environment', API, 'export const x = process.env["X"];'],
    ['no-skipped-test', TEST, 'it.skip("x", () => undefined);'],
    ['no-skipped-test', TEST, 'describe.only("x", () => undefined);'],
    ['no-exit', DATA, 'process.exit(1);'],
  ])('%s in %s: %s', (rule, path, text) => {
    const found = problems({ [path]: text });
    expect(found.map((problem) => problem.rule)).toContain(rule);
    expect(found.every((problem) => problem.path === path && problem.message.includes(': '))).toBe(true);
  });

  it.each([
    [DOMAIN, 'export const x = (at: Date) => new Date(at.getTime() + 1);'],
    [WORKER, 'export const x = Date.now();'],
    [TEST, 'export const x = Date.now();'],
    ['libs/kernel/src/clock.ts', 'export const x = () => new Date();'],
    ['services/agent/src/x.ts', 'export const x = (fence: F) => fence.save();'],
    [DOMAIN, 'export const saved = { evaluate: 1 }; saved.evaluate;'],
    [DOMAIN, '// Date.now() is not used here\nexport const x = "Date.now()";'],
  ])('leaves %s alone: %s', (path, text) => {
    expect(problems({ [path]: text })).toEqual([]);
  });
});

describe('places', () => {
  const program = { 'services/agent/src/x.ts': `import { spawn } from 'node:child_process'; spawn('qemu-img', []);` };
  const at = (files: Readonly<Record<string, string>>, listed: readonly string[]): string[] => {
    const places = PLACES.map((place) => ({ ...place, files: listed }));
    const workspace = workspaceOf(new Map([...PROJECTS, ...Object.entries(files)]), PACKAGES);
    return check(workspace, places).map((problem) => problem.rule);
  };

  it('are for the listed files alone', () => {
    expect(at(program, [])).toEqual(expect.arrayContaining(['starts-programs', 'names-qemu-img']));
    const insecure = { 'services/agent/src/x.ts': 'connect({ rejectUnauthorized: false });' };
    expect(at(insecure, [])).toContain('trusts-any-certificate');
  });

  it('only shrink: a listed file that does so no longer has to leave', () => {
    expect(at({}, ['services/agent/src/x.ts'])).toContain('starts-programs');
    expect(at(program, ['services/agent/src/x.ts'])).not.toContain('starts-programs');
  });
});

describe('shape', () => {
  const lines = (count: number): string => 'export {};\n'.repeat(count);

  it.each([
    ['name', 'services/a/data/src/utils.ts', 'export {};'],
    ['name', 'services/a/data/src/helpers/thing.ts', 'export {};'],
    ['name', 'services/a/data/src/thing-helper.ts', 'export {};'],
    ['name', 'services/a/data/src/disk.manager.ts', 'export {};'],
    ['size', DATA, lines(351)],
    ['size', TEST, lines(601)],
    ['size', DATA, `export function x() {\n${'  y();\n'.repeat(60)}}`],
    ['size', DATA, `export class X {\n  z = () => {\n${'  y();\n'.repeat(60)}};}`],
    ['size', DATA, `export class X {\n  z() {\n${'  y();\n'.repeat(60)}};}`],
    ['comment', TEST, `// @ts-${'ignore'}\nexport {};`],
    ['comment', DATA, `// biome-${'ignore'} lint: x\nexport {};`],
    ['comment', DATA, `/* TO${'DO'} later */\nexport {};`],
    ['project', 'services/nobody/src/x.ts', 'export {};'],
    ['project', 'services/a/api/src/thing.ops.ts', 'export {};'],
    ['project', 'services/c/project.json', '{"name":"libs-kernel","root":"services/c","tags":["scope:c","layer:app"]}'],
    ['project', 'services/c/project.json', '{"name":"c","root":"services/d","tags":["scope:c","layer:app"]}'],
    ['project', 'services/c/project.json', '{"name":"c","root":"services/c","tags":["layer:app"]}'],
    ['layer', 'services/c/project.json', '{"name":"c","root":"services/c","tags":["scope:c","layer:cellar"]}'],
    ['syntax', DATA, 'export const = 1;'],
  ])('%s of %s', (rule, path, text) => {
    expect(rules({ [path]: text })).toContain(rule);
  });

  it('leaves what is in order alone', () => {
    expect(problems({ [DATA]: lines(300), 'services/a/data/src/commons-house.ts': 'export {};' })).toEqual([]);
    const ops = { 'services/a/api/src/thing.ops.ts': 'export {};', 'services/a/api/src/policy.golden.txt': '' };
    expect(problems(ops)).toEqual([]);
  });
});

it('names the very line', () => {
  const text = `// ü\n/* two\nlines */\nimport x from 'node:fs';\n\nexport const y = [x, "ß",\n  Date.now()];\n`;
  const found = check(workspaceOf(new Map([...PROJECTS, [DOMAIN, text]]), PACKAGES), []).filter(
    (one) => one.path === DOMAIN,
  );
  expect(found.map((one) => `${one.rule} ${one.line}`)).toEqual(['package 4', 'time-is-an-input 7']);
});
