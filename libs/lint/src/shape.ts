/** The shape of the tree: names, sizes, comments that switch checks off, and the files that every project has. */
import type { File, Problem, Workspace } from './workspace.js';

const MAX_LINES = 350;
const MAX_TEST_LINES = 600;
const MAX_FUNCTION_LINES = 60;
const VAGUE = /(^|[./-])(utils?|helpers?|common|misc|managers?)(?=$|[./-])/i;
// Each word is split, so that this file does not find itself.
const COMMENTS: readonly (readonly [RegExp, string])[] = [
  [new RegExp('@ts-' + '(ignore|nocheck|expect-error)'), 'fix the type'],
  [new RegExp('(biome|eslint|oxlint)-' + '(ignore|disable)'), 'fix the code, or change the rule for everyone'],
  [new RegExp('\\b(TO' + 'DO|FIX' + 'ME|XX' + 'X)\\b'), 'do it, or file it'],
];

export function shapeProblems(workspace: Workspace): Problem[] {
  return [
    ...workspace.paths.flatMap(nameProblems),
    ...workspace.files.flatMap((file) => [...sizeProblems(file), ...commentProblems(file)]),
    ...projectProblems(workspace),
  ];
}

function nameProblems(path: string): Problem[] {
  const vague = /\.(ts|sql|mjs)$/.test(path) ? VAGUE.exec(path) : null;
  if (!vague) return [];
  return [{ rule: 'name', path, line: 1, message: `"${vague[2]}" says nothing: name it after what it is about` }];
}

function sizeProblems(file: File): Problem[] {
  const lines = file.text.split('\n').length;
  const max = file.isTest ? MAX_TEST_LINES : MAX_LINES;
  const problems: Problem[] = [];
  if (lines > max)
    problems.push({
      rule: 'size',
      path: file.path,
      line: 1,
      message: `${lines} lines, at most ${max}: a concept is missing`,
    });
  if (file.isTest) return problems;
  for (const { line, lines: length } of file.functions) {
    if (length > MAX_FUNCTION_LINES)
      problems.push({
        rule: 'size',
        path: file.path,
        line,
        message: `a function of ${length} lines, at most ${MAX_FUNCTION_LINES}`,
      });
  }
  return problems;
}

function commentProblems(file: File): Problem[] {
  return file.text.split('\n').flatMap((text, index) =>
    COMMENTS.filter(([pattern]) => pattern.test(text)).map(([pattern, instead]) => ({
      rule: 'comment',
      path: file.path,
      line: index + 1,
      message: `${pattern.exec(text)?.[0]}: ${instead}`,
    })),
  );
}

/** Every project has a face, its own name, and, where it serves operations, a golden policy matrix (class 17). */
function projectProblems({ projects, files, paths }: Workspace): Problem[] {
  const problems: Problem[] = [];
  const names = new Map<string, string>();
  for (const project of projects) {
    const path = `${project.root}/project.json`;
    const problem = (message: string): void => void problems.push({ rule: 'project', path, line: 1, message });
    const other = names.get(project.name);
    if (other) problem(`${other} has the same name`);
    names.set(project.name, path);
    const own = files.filter((file) => file.project === project);
    const library = project.root.startsWith('libs/') || project.root.startsWith('services/');
    const programs = ['app', 'agent', 'cli', 'gate', 'lint'].includes(project.layer);
    if (library && !programs && own.length && !own.some((file) => file.path === `${project.root}/src/index.ts`))
      problem('src/index.ts, its public face, is missing');
    const serves = own.some((file) => /\.ops\.ts$/.test(file.path));
    if (serves && !paths.some((one) => one.startsWith(`${project.root}/`) && one.endsWith('policy.golden.txt')))
      problem('it has operations and no golden policy matrix (policy.golden.txt)');
  }
  return problems.concat(orphans(files));
}

const orphans = (files: readonly File[]): Problem[] =>
  files
    .filter((file) => !file.project && /^(libs|services)\//.test(file.path))
    .map((file) => ({
      rule: 'project',
      path: file.path,
      line: 1,
      message: 'belongs to no project: a project.json is missing',
    }));
