/**
 * `yagura doctor`: reads every service's books (compute asks the nodes), audits them, and looks a second time before
 * it calls anything a finding, since books are read one after the other while the cloud works on.
 */
import { audit, type BookRow, type Finding, persistent } from '#libs/audit';
import { delay } from '#libs/kernel';
import type { Cloud } from '../cloud.js';
import { print, table } from '../table.js';

const BETWEEN_LOOKS_MS = 2_000;

interface Look {
  readonly findings: Finding[];
  readonly rows: number;
}

async function look(cloud: Cloud): Promise<Look> {
  const answers = await cloud.ask((operator) => operator.books({}, { deadlineMs: 30_000 }));
  const rows: BookRow[] = answers.flatMap(({ reply }) => reply?.rows ?? []);
  const silent = answers
    .filter(({ reply }) => !reply)
    .map(
      ({ service, error }): Finding => ({
        code: 'service-silent',
        id: service,
        node: '',
        message: `${service} does not answer: ${error}`,
      }),
    );
  // Books that are missing would make everything else look orphaned.
  return { findings: silent.length ? silent : audit(rows), rows: rows.length };
}

export async function doctor(cloud: Cloud, { output }: { output: 'table' | 'json' }): Promise<number> {
  let { findings, rows } = await look(cloud);
  if (findings.length) {
    await delay(BETWEEN_LOOKS_MS);
    const again = await look(cloud);
    findings = persistent(findings, again.findings);
    rows = again.rows;
  }
  const text = findings.length
    ? table(
        ['CODE', 'ID', 'NODE', 'WHAT DOES NOT MATCH'],
        findings.map((f) => [f.code, f.id, f.node, f.message]),
      )
    : `No findings in ${rows} entries.\n`;
  print(output, { findings }, text);
  return findings.length ? 1 : 0;
}
