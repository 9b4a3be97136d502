/** What passed and failed, over all stages. A stage that could not run counts as one failure, never as nothing. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** One line for each failure. */
  readonly failures: readonly string[];
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] };

export const plus = (a: Tally, b: Tally): Tally => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  failures: [...a.failures, ...b.failures],
});

export const brokenStage = (stage: string, error: unknown): Tally => ({
  passed: 0,
  failed: 1,
  skipped: 0,
  failures: [`${stage}: ${error instanceof Error ? error.message : String(error)}`],
});

export const passedOne: Tally = { ...NOTHING, passed: 1 };
