/**
 * Compiles the checkout to dist/, file by file and only what changed, keeping the paths. Run by Node's own type
 * stripping before anything is compiled, so it imports nothing of ours. dist/ itself is never replaced: running
 * containers see it.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

interface Entry {
  readonly stamp: string;
  readonly hash: string;
}
type Manifest = Record<string, Entry>;

const checkout = join(import.meta.dirname, '../..');
const dist = join(checkout, 'dist');
const manifestFile = join(dist, '.manifest.json');
const SOURCES = ['libs', 'services', 'deploy', 'tests/runner'];
const SKIPPED_FOLDERS = new Set(['node_modules', 'fixtures', 'dist', 'guest', 'root', 'container', 'bin']);
const SKIPPED_FILES =
  /(\.(test|itest|e2e|chaos|security|bench|fixture|d)\.ts|^project\.json|\.golden\.[a-z]+|\.sh|\.md|~)$/;

const sha = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex').slice(0, 32);

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED_FOLDERS.has(entry.name)) yield* filesBelow(path);
    } else if (entry.isFile() && !SKIPPED_FILES.test(entry.name) && !entry.name.startsWith('.')) yield path;
  }
}

function readManifest(settings: string): Manifest {
  if (!existsSync(manifestFile)) return {};
  const { settings: before, files } = JSON.parse(readFileSync(manifestFile, 'utf8')) as {
    settings: string;
    files: Manifest;
  };
  return before === settings ? files : {};
}

/** The contracts in TypeScript, from proto/, when they are not those of the present files. */
function generateContracts(): void {
  const inputs = [...filesBelow(join(checkout, 'proto')), join(checkout, 'buf.gen.yaml'), join(checkout, 'buf.yaml')];
  const key = sha(inputs.map((path) => `${path.slice(checkout.length)}\0${sha(readFileSync(path))}`).join('\n'));
  const generated = join(checkout, 'libs/contract/src/generated');
  const stamp = join(checkout, 'libs/contract/src/generated/.key');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  const bin = join(checkout, 'node_modules/.bin');
  execFileSync(join(bin, 'buf'), ['generate'], {
    cwd: checkout,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${bin}:${process.env['PATH'] ?? ''}` },
  });
  mkdirSync(generated, { recursive: true });
  writeFileSync(stamp, key);
}

async function compile(path: string, code: string, options: object): Promise<string> {
  const { transform } = await import('@swc/core');
  const result = await transform(code, { ...options, filename: path, swcrc: false, sourceMaps: false });
  return result.code;
}

function put(path: string, bytes: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

const outputOf = (source: string): string => join(dist, source.replace(/\.ts$/, '.js'));

async function main(): Promise<void> {
  generateContracts();
  const swcrc = readFileSync(join(checkout, '.swcrc'), 'utf8');
  const settings = sha(
    swcrc + readFileSync(join(checkout, 'node_modules/@swc/core/package.json')) + readFileSync(import.meta.filename),
  );
  const { exclude: _, ...options } = JSON.parse(swcrc) as Record<string, unknown>;
  const before = readManifest(settings);
  const now: Manifest = {};
  let written = 0;
  const failures: string[] = [];
  for (const path of SOURCES.flatMap((folder) => [...filesBelow(join(checkout, folder))])) {
    const source = relative(checkout, path);
    const { mtimeMs, size } = statSync(path);
    const stamp = `${mtimeMs}/${size}`;
    const known = before[source];
    const there = known !== undefined && existsSync(outputOf(source));
    if (there && known.stamp === stamp) {
      now[source] = known;
      continue;
    }
    const bytes = readFileSync(path);
    const hash = sha(bytes);
    if (!(there && known.hash === hash)) {
      try {
        put(outputOf(source), source.endsWith('.ts') ? await compile(path, bytes.toString(), options) : bytes);
        written++;
      } catch (error) {
        failures.push(`${source}: ${(error as Error).message}`);
        continue;
      }
    }
    now[source] = { stamp, hash };
  }
  for (const gone of Object.keys(before).filter((source) => !(source in now))) rmSync(outputOf(gone), { force: true });
  mkdirSync(dist, { recursive: true });
  put(manifestFile, JSON.stringify({ settings, files: now }));
  const build = sha(
    settings +
      Object.entries(now)
        .filter(([source]) => /^(libs|services)\//.test(source))
        .map(([source, { hash }]) => `${source} ${hash}`)
        .join('\n'),
  );
  // Its time says since when running services are older than the code.
  const mark = join(dist, '.build');
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== build) put(mark, build);
  if (failures.length > 0) throw new Error(`${failures.length} files do not compile:\n${failures.join('\n')}`);
  console.log(`build: ${written} of ${Object.keys(now).length} files written`);
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
