/** One kind of Vitest files as a stage; the counts come from its JSON report, not from its words. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';
import { brokenStage, type Tally } from './tally.js';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

export type Kind = 'unit' | 'integration' | 'e2e' | 'chaos' | 'security';

export async function vitestStage(
  kind: Kind,
  folder: string,
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<Tally> {
  const report = join(folder, `vitest-${kind}.json`);
  rmSync(report, { force: true });
  const ran = await run(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    {
      env: { ...env, YAGURA_TESTS: kind, FORCE_COLOR: '0' },
      timeoutMs,
      log: join(folder, `vitest-${kind}.log`),
    },
  );
  if (!existsSync(report)) return brokenStage(kind, `vitest gave no report (exit ${ran.code})`);
  return tallyOf(JSON.parse(readFileSync(report, 'utf8')) as Report);
}

/** A file that fails to load has no tests to count: it is one failure itself. */
function tallyOf(report: Report): Tally {
  const failures = report.testResults.flatMap((file) => {
    const tests = file.assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => `${test.fullName}: ${firstLine(test.failureMessages[0])}`);
    return tests.length || file.status !== 'failed' ? tests : [`${file.name}: ${firstLine(file.message)}`];
  });
  return { passed: report.numPassedTests, failed: failures.length, skipped: report.numPendingTests, failures };
}

const firstLine = (text: string | undefined): string => (text ?? '').split('\n')[0]?.slice(0, 200) ?? '';
