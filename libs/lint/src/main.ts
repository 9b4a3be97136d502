/** `main.js [ROOT]`: the house rules over the tree, one problem a line; ends with 1 where there is any. */
import { check, sentence } from './check.js';
import { readWorkspace } from './workspace.js';

const started = performance.now();
const root = process.argv[2] ?? '.';
const workspace = readWorkspace(root, process.argv[2] ? undefined : ['libs', 'services', 'deploy', 'tests']);
const problems = check(workspace);
const out = (line: string): boolean => process.stdout.write(`${line}\n`);
for (const problem of problems) out(sentence(problem));
const seconds = ((performance.now() - started) / 1000).toFixed(1);
out(
  `${workspace.files.length} files in ${workspace.projects.length} projects, ${problems.length} problems, ${seconds} s`,
);
process.exitCode = problems.length ? 1 : 0;
