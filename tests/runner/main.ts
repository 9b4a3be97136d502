/**
 * The gate and the whole: builds a cloud of the tests' own (its own state folder, so that it never meets one that is
 * up), runs the stages in order of cost, stops the cloud, and closes with one line of counts.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';
import { stagesOf } from './stages.js';
import { brokenStage, NOTHING, plus, type Tally } from './tally.js';

const mode = process.argv[2] === 'full' ? 'full' : 'gate';
const only = process.argv[3]?.split(',');
const keep = process.env['YAGURA_KEEP'] === '1';
const state = process.env['YAGURA_STATE'] ?? join(process.cwd(), 'var', 'test');
const folder = join(state, 'results');
mkdirSync(folder, { recursive: true });

const started = Date.now();
const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(0)} s`;
let total: Tally = NOTHING;
const lines: string[] = [];

for (const stage of stagesOf(mode)) {
  if (only && !only.includes(stage.name)) continue;
  const begun = Date.now();
  process.stdout.write(`\n=== ${stage.name}: ${stage.what} (at ${seconds(started)})\n`);
  let tally: Tally;
  try {
    tally = await stage.run({ state, folder });
  } catch (error) {
    tally = brokenStage(stage.name, error);
  }
  total = plus(total, tally);
  lines.push(
    `${stage.name.padEnd(12)} ${String(tally.passed).padStart(5)} passed ${String(tally.failed).padStart(4)} failed ${String(tally.skipped).padStart(4)} skipped  ${seconds(begun)}`,
  );
  if (stage.vital && tally.failed) {
    lines.push(`${stage.name} failed; what needs it was not run`);
    break;
  }
}
if (!keep && (!only || only.includes('up'))) {
  await run('deploy/down.sh', ['--purge'], {
    env: { YAGURA_STATE: state, YAGURA_KEEP_RESULTS: '1' },
    timeoutMs: 120_000,
    quiet: true,
  });
}

const summary = `\n${lines.join('\n')}\n${total.failures.map((failure) => `FAILED ${failure}`).join('\n')}\n`;
process.stdout.write(summary);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'summary.txt'), summary);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed ? 1 : 0;
