/** A selection of the official suite, run by Debian's Tempest against the cloud that is up. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';
import { brokenStage, type Tally } from './tally.js';
import { tempestConf } from './tempest-conf.js';

export interface TempestOptions {
  /** The cloud's state folder, which holds clouds.yaml. */
  readonly state: string;
  /** Folder for the workspace and its logs. */
  readonly folder: string;
  /** File with one regular expression a line; `#` begins a comment. */
  readonly includeList: string;
  readonly workers: number;
  /** Whether tests log in to the guests that they boot; false unless given. */
  readonly logIn?: boolean;
  readonly timeoutMs: number;
}

/** Tempest's own closing lines: ` - Passed: 12`. */
const count = (output: string, word: string): number =>
  Number(new RegExp(`^ - ${word}: (\\d+)`, 'm').exec(output)?.[1] ?? 0);

export async function tempestStage(options: TempestOptions): Promise<Tally> {
  const { folder, state } = options;
  mkdirSync(join(folder, 'logs'), { recursive: true });
  mkdirSync(join(folder, 'lock'), { recursive: true });
  const conf = await tempestConf({ state, folder, logIn: options.logIn ?? false });
  writeFileSync(join(folder, 'tempest.conf'), conf, { mode: 0o600 });
  writeFileSync(join(folder, 'include.txt'), readFileSync(options.includeList, 'utf8'));
  const ran = await run('deploy/bin/in-client', ['sh', '-c', TEMPEST, 'tempest', folder, String(options.workers)], {
    env: { YAGURA_STATE: state },
    timeoutMs: options.timeoutMs,
    log: join(folder, 'tempest.log'),
  });
  const passed = count(ran.output, 'Passed');
  const failed = count(ran.output, 'Failed') + count(ran.output, 'Unexpected Success');
  if (!passed && !failed) return brokenStage('tempest', `no test ran (exit ${ran.code}); see ${folder}/tempest.log`);
  const failures = [
    ...new Set([...ran.output.matchAll(/^\{\d+\} (\S+).*\.\.\. FAILED/gm)].map((match) => `tempest: ${match[1]}`)),
  ];
  return { passed, failed, skipped: count(ran.output, 'Skipped'), failures };
}

/** A constant script: the folder and the number of workers are its parameters. */
const TEMPEST = `
set -e
cd "$1"
[ -f .stestr.conf ] || printf '[DEFAULT]\\ntest_path=/usr/lib/python3/dist-packages/tempest/test_discover\\ntop_dir=/usr/lib/python3/dist-packages\\n' > .stestr.conf
export TEMPEST_CONFIG_DIR="$1" TEMPEST_CONFIG=tempest.conf
[ -d .stestr ] || stestr init
exec tempest run --config-file "$1/tempest.conf" --include-list include.txt --concurrency "$2"
`;
