/** Calls and names that are banned, each with where, and with what to use instead. */
import type { File, Problem, Workspace } from './workspace.js';

interface Ban {
  readonly rule: string;
  /** Of a use, as `facts` words it. */
  readonly uses?: RegExp;
  /** Of a name imported from a module, as `module#name`. */
  readonly imports?: RegExp;
  readonly where: (file: File) => boolean;
  readonly instead: string;
}

const layer =
  (...names: readonly string[]) =>
  (file: File): boolean =>
    !file.isTest && names.includes(file.project?.layer ?? '');
const isFlow = (file: File): boolean => /\.flow\.ts$/.test(file.path);
const isPure = (file: File): boolean =>
  !file.isTest && (isFlow(file) || layer('domain', 'gate')(file) || (layer('kernel')(file) && !SOURCES.has(file.path)));
const isProduct = (file: File): boolean => !file.isTest && file.project !== undefined && file.project.layer !== 'tests';
const everywhere = (): boolean => true;

/** Where time and ids come from. */
const SOURCES = new Set(['libs/kernel/src/clock.ts', 'libs/kernel/src/ids.ts']);

export const BANS: readonly Ban[] = [
  {
    rule: 'time-is-an-input',
    uses: /^((globalThis\.)?Date\.now|new Date\(\)|Date\(\)|(globalThis\.)?performance\.now|process\.hrtime(\.bigint)?|process\.uptime)$/,
    where: isPure,
    instead: 'take the time as a parameter; a Clock of #libs/kernel has it',
  },
  {
    rule: 'ids-are-inputs',
    uses: /^((globalThis\.)?crypto\.randomUUID|(globalThis\.)?crypto\.getRandomValues)$/,
    imports: /^(node:)?crypto#(randomUUID|randomBytes|randomInt|randomFillSync|webcrypto|\*|default)$/,
    where: isPure,
    instead: 'take the id as a parameter; Ids of #libs/kernel makes them',
  },
  {
    rule: 'chance-is-an-input',
    uses: /^(globalThis\.)?Math\.random$/,
    where: isPure,
    instead: 'take the random number as a parameter',
  },
  {
    rule: 'no-effects-in-domain',
    uses: /^(fetch|setTimeout|setInterval|setImmediate|queueMicrotask)\(\)$/,
    where: isPure,
    instead: 'return what is to be done; the worker does it (a flow throws NotYet)',
  },
  {
    rule: 'no-code-from-text',
    uses: /^(eval\(\)|(globalThis\.)?eval|\.eval\(\)|new Function\((…)?\)|Function\(\)|(setTimeout|setInterval)\("…"\))$/,
    where: everywhere,
    instead: 'write the code down (class 22)',
  },
  {
    rule: 'no-typeorm-save',
    uses: /^\.save\(\)$/,
    where: (file) =>
      layer('data', 'worker', 'api', 'app')(file) || file.imports.some((one) => one.specifier === 'typeorm'),
    instead: 'one SQL statement or a query builder: save() reads, compares and writes in four statements',
  },
  {
    rule: 'no-shell',
    uses: /^(\{shell: true\}|exec\(\)|execSync\(\))$/,
    imports: /^(node:)?child_process#(exec|execSync)$/,
    where: everywhere,
    instead: 'execFile or spawn with a list of arguments (class 10)',
  },
  {
    rule: 'no-environment',
    uses: /^process\.env$/,
    where: (file) =>
      isProduct(file) &&
      !['deploy', 'cli', 'testing', 'lint'].includes(file.project?.layer ?? '') &&
      file.project?.name !== 'platform-config',
    instead: 'readConfig of #libs/platform/config: a process is configured by its file alone',
  },
  {
    rule: 'no-skipped-test',
    uses: /^(it|test|describe)\.(skip|only|todo|skipIf|runIf|fails)$/,
    where: everywhere,
    instead: 'make the test pass, or delete it with its reason in the commit',
  },
  {
    rule: 'no-exit',
    uses: /^process\.(exit|abort)$/,
    where: (file) => isProduct(file) && !['app', 'agent', 'cli', 'deploy', 'lint'].includes(file.project?.layer ?? ''),
    instead: 'throw; the app that started the process ends it',
  },
];

export function callProblems(workspace: Workspace): Problem[] {
  return workspace.files.flatMap((file) => BANS.flatMap((ban) => (ban.where(file) ? found(file, ban) : [])));
}

function found(file: File, ban: Ban): Problem[] {
  const problem = (what: string, line: number): Problem => ({
    rule: ban.rule,
    path: file.path,
    line,
    message: `${what}: ${ban.instead}`,
  });
  const uses = ban.uses ? file.uses.filter((use) => ban.uses?.test(use.text)) : [];
  const imports = file.imports.flatMap((one) =>
    one.names.filter((name) => ban.imports?.test(`${one.specifier}#${name}`)).map((name) => problem(name, one.line)),
  );
  return [...uses.map((use) => problem(use.text, use.line)), ...imports];
}
