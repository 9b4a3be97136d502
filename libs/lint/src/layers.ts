/** Who may import whom. A layer sees the layers named beside it, of its own scope or shared. */
import type { Import } from './facts.js';
import type { File, Problem, Project, Workspace } from './workspace.js';

const LAYERS: Readonly<Record<string, readonly string[]>> = {
  kernel: ['kernel'],
  domain: ['kernel', 'domain'],
  data: ['kernel', 'domain', 'data', 'platform'],
  wire: ['kernel', 'wire'],
  platform: ['kernel', 'platform'],
  contract: ['kernel', 'platform'],
  worker: ['kernel', 'domain', 'data', 'worker', 'contract', 'platform'],
  api: ['kernel', 'wire', 'domain', 'data', 'api', 'contract', 'platform'],
  app: ['kernel', 'wire', 'domain', 'data', 'worker', 'api', 'app', 'contract', 'platform'],
  agent: ['kernel', 'contract', 'platform', 'agent'],
  cli: ['kernel', 'contract', 'platform', 'cli'],
  gate: [],
  lint: ['lint'],
  testing: ['kernel', 'platform', 'contract', 'testing'],
  deploy: ['kernel', 'contract', 'platform', 'deploy'],
  tests: ['kernel', 'contract', 'platform', 'deploy', 'lint', 'testing', 'tests'],
};
const SHARED = 'shared';
/** These stand outside of the product and may look at any scope that their layer lets them see. */
const OUTSIDE = new Set(['tests', 'deploy']);

/** Every import of every file against the table. */
export function layerProblems(workspace: Workspace): Problem[] {
  const byRoot = new Map(workspace.projects.map((project) => [project.root, project]));
  return [
    ...workspace.projects.flatMap(unknownLayer),
    ...workspace.files.flatMap((file) => file.imports.flatMap((one) => judge(file, one, workspace, byRoot))),
    ...cycles(workspace, byRoot),
  ];
}

function unknownLayer(project: Project): Problem[] {
  if (project.layer in LAYERS) return [];
  const message = `there is no layer ${project.layer}: ${Object.keys(LAYERS).join(', ')}`;
  return [{ rule: 'layer', path: `${project.root}/project.json`, line: 1, message }];
}

function judge(file: File, one: Import, workspace: Workspace, byRoot: ReadonlyMap<string, Project>): Problem[] {
  const problem = (rule: string, message: string): Problem[] => [{ rule, path: file.path, line: one.line, message }];
  const { specifier } = one;
  if (specifier === undefined)
    return file.isTest ? [] : problem('dynamic-import', 'the module of an import() must be a plain string');
  if (specifier.startsWith('.')) return judgeRelative(file, specifier, workspace, problem);
  if (!specifier.startsWith('#')) return [];
  const target = byRoot.get(specifier.slice(1));
  if (!target) return problem('layer', `${specifier} is no project: import the root of one, such as #libs/kernel`);
  if (target === file.project) return problem('layer', `${specifier} is this very project: import its files by path`);
  const why = refusal(file, target);
  return why ? problem('layer', why) : [];
}

function judgeRelative(
  file: File,
  specifier: string,
  workspace: Workspace,
  problem: (rule: string, message: string) => Problem[],
): Problem[] {
  const target = resolve(file.path, specifier);
  const toTest = workspace.files.find((other) => other.path === target)?.isTest ?? false;
  if (toTest && !file.isTest) return problem('test-only', `${specifier} is for tests alone`);
  if (!/\.(js|json)$/.test(specifier)) return problem('layer', `${specifier}: relative imports end in .js`);
  const root = file.project?.root;
  if (root === undefined || target.startsWith(`${root}/`)) return [];
  const sameScope = workspace.projects.some(
    (other) => target.startsWith(`${other.root}/`) && other.scope === file.project?.scope,
  );
  if (file.isTest && target.endsWith('.fixture.ts') && sameScope) return [];
  return problem('layer', `${specifier} leaves the project: import another project as #its/root`);
}

/** The path that a relative specifier means, with .js as .ts. */
function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/').replace(/\.js$/, '.ts');
}

function refusal(file: File, target: Project): string | undefined {
  const source = file.project;
  if (!source) return undefined;
  if (target.layer === 'testing' && !file.isTest && source.layer !== 'testing' && source.layer !== 'tests')
    return `${target.name} is for tests alone`;
  const foreign = target.scope !== SHARED && target.scope !== source.scope && !OUTSIDE.has(source.layer);
  if (foreign)
    return `${source.name} (scope ${source.scope}) may not import ${target.name} (scope ${target.scope}): call it through #libs/contract`;
  if (file.isTest) return undefined;
  if ((LAYERS[source.layer] ?? []).includes(target.layer)) return undefined;
  return `layer ${source.layer} may not import ${target.name} of layer ${target.layer}: it sees ${(LAYERS[source.layer] ?? []).join(', ') || 'nothing'}`;
}

/** Projects that import each other in a circle, tests aside. */
function cycles(workspace: Workspace, byRoot: ReadonlyMap<string, Project>): Problem[] {
  const edges = projectGraph(workspace, byRoot);
  const problems: Problem[] = [];
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    const at = trail.indexOf(name);
    if (at >= 0) {
      const circle = [...trail.slice(at), name].join(' -> ');
      const project = workspace.projects.find((one) => one.name === name);
      problems.push({ rule: 'cycle', path: `${project?.root}/project.json`, line: 1, message: circle });
      return;
    }
    if (done.has(name)) return;
    for (const next of edges.get(name) ?? []) visit(next, [...trail, name]);
    done.add(name);
  };
  for (const name of edges.keys()) visit(name, []);
  return problems;
}

/** Project name -> names of the projects that its product files import. */
export function projectGraph(
  workspace: Workspace,
  byRoot: ReadonlyMap<string, Project> = new Map(workspace.projects.map((project) => [project.root, project])),
): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>(workspace.projects.map((project) => [project.name, new Set()]));
  for (const file of workspace.files) {
    if (!file.project || file.isTest) continue;
    for (const { specifier } of file.imports) {
      const target = specifier?.startsWith('#') ? byRoot.get(specifier.slice(1)) : undefined;
      if (target && target !== file.project) edges.get(file.project.name)?.add(target.name);
    }
  }
  return edges;
}
