import { describe, expect, it } from 'vitest';
import { backoffMs, stuckRetryMs } from './backoff.js';
import { defineFlow } from './define.js';
import type { Step } from './types.js';

const ensure = async () => 1;
const define = (kind: string, steps: Step<unknown>[]) => () => defineFlow({ kind, steps });

describe('a definition', () => {
  it('has sensible defaults', () => {
    expect(defineFlow({ kind: 'server.create', steps: [{ name: 'one', ensure }] })).toMatchObject({
      version: 1,
      cancellable: true,
      exhausted: 'stuck',
      maxAttempts: 20,
    });
  });

  it('is refused when it is malformed', () => {
    const both = { name: 'one', tx: ensure, ensure } as unknown as Step<unknown>;
    const neither = { name: 'one' };
    expect(define('server.create', [{ name: 'one', undoEnsure: ensure }])).not.toThrow();
    expect(define('create', [{ name: 'one', ensure }])).toThrow('a kind looks like');
    expect(define('server.create', [])).toThrow('no steps');
    expect(define('server.create', [{ name: 'One Two', ensure }])).toThrow('a name looks like');
    expect(
      define('server.create', [
        { name: 'one', ensure },
        { name: 'one', ensure },
      ]),
    ).toThrow('twice');
    expect(define('server.create', [both])).toThrow('tx and ensure');
    expect(define('server.create', [neither])).toThrow('does nothing');
    expect(define('server.create', [{ name: 'one', ensure, undoTx: ensure, undoEnsure: ensure }])).toThrow('two undos');
  });
});

describe('delays', () => {
  it('double up to a cap and are spread over half of it', () => {
    expect([1, 2, 3, 7, 30].map((attempt) => backoffMs(attempt, 0))).toEqual([100, 200, 400, 5000, 5000]);
    expect(backoffMs(1, 0.999)).toBe(200);
    expect([0, 1, 20].map((beyond) => stuckRetryMs(beyond, 0))).toEqual([30_000, 60_000, 300_000]);
  });
});
