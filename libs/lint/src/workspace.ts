/** The tree as rules see it: projects by their project.json, files with their facts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { type Facts, factsOf } from './facts.js';

export interface Project {
  readonly name: string;
  /** Folder from the workspace's root, as project.json says and as it is. */
  readonly root: string;
  readonly scope: string;
  readonly layer: string;
}

export interface File extends Facts {
  /** From the workspace's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly project: Project | undefined;
  /** Tests and what only tests use. */
  readonly isTest: boolean;
}

export interface Workspace {
  readonly projects: readonly Project[];
  readonly files: readonly File[];
  /** Every path, source or not. */
  readonly paths: readonly string[];
  /** Names of declared npm packages: [for running, for developing]. */
  readonly packages: { readonly runtime: ReadonlySet<string>; readonly development: ReadonlySet<string> };
  /** What is wrong with the tree before any rule is asked. */
  readonly broken: readonly Problem[];
}

export interface Problem {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  /** What is wrong, and what to do instead. */
  readonly message: string;
}

const TEST_FILE = /\.(i?test|fixture|e2e|chaos|security)\.ts$/;
const SKIPPED = new Set(['node_modules', 'dist', 'var', 'generated', '.git', '.nx', 'fixtures']);

/** Reads the tree below `root`. `folders` bounds it where the root holds other things too. */
export function readWorkspace(root: string, folders?: readonly string[]): Workspace {
  const texts = new Map<string, string>();
  const paths = (folders ?? [''])
    .flatMap((folder) => [...walk(join(root, folder))])
    .map((path) => relative(root, path).split(sep).join('/'));
  for (const path of paths)
    if (/\.ts$|project\.json$/.test(path)) texts.set(path, readFileSync(join(root, path), 'utf8'));
  return workspaceOf(texts, readFileSync(join(root, 'package.json'), 'utf8'), paths);
}

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* walk(join(folder, entry.name));
    else if (entry.isFile()) yield join(folder, entry.name);
  }
}

/** The workspace of texts by path; `packageJson` is the root's. */
export function workspaceOf(
  texts: ReadonlyMap<string, string>,
  packageJson: string,
  paths: readonly string[] = [...texts.keys()],
): Workspace {
  const broken: Problem[] = [];
  const projects = [...texts]
    .filter(([path]) => path.endsWith('project.json'))
    .flatMap(([path, text]) => projectOf(path, text, broken));
  const files: File[] = [];
  for (const [path, text] of texts) {
    if (!path.endsWith('.ts')) continue;
    try {
      files.push({ path, text, project: ownerOf(path, projects), isTest: isTestPath(path), ...pick(factsOf(text)) });
    } catch (error) {
      broken.push({ rule: 'syntax', path, line: 1, message: String((error as Error).message).split('\n')[0] ?? '' });
    }
  }
  const { dependencies = {}, devDependencies = {} } = JSON.parse(packageJson) as Record<string, Record<string, string>>;
  const packages = { runtime: new Set(Object.keys(dependencies)), development: new Set(Object.keys(devDependencies)) };
  return { projects, files, paths, packages, broken };
}

const pick = ({ imports, uses, functions }: Facts): Facts => ({ imports, uses, functions });
const isTestPath = (path: string): boolean => TEST_FILE.test(path) || path === 'vitest.config.ts';

/** The project whose folder is the longest that holds the path. */
export const ownerOf = (path: string, projects: readonly Project[]): Project | undefined =>
  projects.filter((project) => path.startsWith(`${project.root}/`)).sort((a, b) => b.root.length - a.root.length)[0];

function projectOf(path: string, text: string, broken: Problem[]): Project[] {
  const folder = path.slice(0, -'/project.json'.length);
  const complain = (message: string): [] => {
    broken.push({ rule: 'project', path, line: 1, message });
    return [];
  };
  const { name, root, tags = [] } = JSON.parse(text) as { name?: string; root?: string; tags?: string[] };
  const tag = (prefix: string): string[] =>
    tags.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
  const [scopes, layers] = [tag('scope:'), tag('layer:')];
  if (!name) return complain('a project needs a name');
  if (root !== folder) return complain(`"root" must be ${JSON.stringify(folder)}`);
  if (scopes.length !== 1 || layers.length !== 1)
    return complain('a project has exactly one scope: and one layer: tag');
  return [{ name, root: folder, scope: scopes[0]!, layer: layers[0]! }];
}
