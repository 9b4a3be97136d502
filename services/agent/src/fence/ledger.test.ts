import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Journal, parseJournal } from './journal.js';
import { comparePairs, type Held, Ledger } from './ledger.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-ledger-'));
  path = join(folder, 'fences');
});
afterEach(() => rmSync(folder, { recursive: true }));

const held = (part: Partial<Held> = {}): Held => ({
  serverId: 'a',
  fence: 5,
  seq: 2,
  generation: 1,
  phase: 'done',
  power: 'running',
  atMs: 0,
  ...part,
});

/** What is in the file. */
async function recordsOf(file: string): Promise<unknown[]> {
  const { journal, records } = await Journal.open(file, { sync: false });
  await journal.close();
  return records;
}
async function opened(sync: boolean): Promise<Ledger> {
  const ledger = await Ledger.open(path, sync);
  onTestFinished(() => ledger.close());
  return ledger;
}

describe('the journal', () => {
  it('keeps every record whose append has resolved, and shares writes', async () => {
    const { journal } = await Journal.open(path, { sync: true });
    await Promise.all(Array.from({ length: 50 }, (_, n) => journal.append({ n })));
    await journal.close();
    expect(await recordsOf(path)).toEqual(Array.from({ length: 50 }, (_, n) => ({ n })));
  });

  it('drops a torn tail, wherever it was torn, and goes on after it', async () => {
    const { journal } = await Journal.open(path, { sync: false });
    for (const n of [1, 2, 3]) await journal.append({ n });
    await journal.close();
    const whole = readFileSync(path);
    const last = whole.lastIndexOf(10, whole.length - 2) + 1;
    for (let cut = last; cut < whole.length; cut++)
      expect(parseJournal(whole.subarray(0, cut)).records).toHaveLength(2);
    truncateSync(path, whole.length - 3);
    const again = await Journal.open(path, { sync: false });
    expect(again.records).toEqual([{ n: 1 }, { n: 2 }]);
    await again.journal.append({ n: 4 });
    await again.journal.close();
    expect(await recordsOf(path)).toEqual([{ n: 1 }, { n: 2 }, { n: 4 }]);
  });

  it('stops at a damaged line', async () => {
    const { journal } = await Journal.open(path, { sync: false });
    await journal.append({ n: 1 });
    await journal.close();
    appendFileSync(path, '00000000 {"n":2}\n');
    expect(await recordsOf(path)).toEqual([{ n: 1 }]);
  });

  it('takes appends while it is rewritten', async () => {
    const { journal } = await Journal.open(path, { sync: false });
    await journal.append({ n: 1 });
    await Promise.all([journal.rewrite(() => [{ n: 0 }]), journal.append({ n: 2 }), journal.append({ n: 3 })]);
    await journal.close();
    expect((await recordsOf(path)).at(-1)).toEqual({ n: 3 });
  });
});

describe('the ledger', () => {
  it('orders pairs by fence, then by number', () => {
    fc.assert(
      fc.property(fc.nat(9), fc.nat(9), fc.nat(9), fc.nat(9), (f1, s1, f2, s2) => {
        const order = Math.sign(comparePairs({ fence: f1, seq: s1 }, { fence: f2, seq: s2 }));
        expect(order).toBe(f1 !== f2 ? Math.sign(f1 - f2) : Math.sign(s1 - s2));
      }),
    );
  });

  it('refuses older, answers same, obeys newer, also after a restart and after deletion', async () => {
    const first = await Ledger.open(path, true);
    expect(first.judge('a', { fence: 1, seq: 0 })).toBe('newer');
    await first.put(held({ power: 'absent' }));
    await first.close();
    const ledger = await opened(true);
    expect(ledger.judge('a', { fence: 5, seq: 1 })).toBe('older');
    expect(ledger.judge('a', { fence: 4, seq: 9 })).toBe('older');
    expect(ledger.judge('a', { fence: 5, seq: 2 })).toBe('same');
    expect(ledger.judge('a', { fence: 5, seq: 3 })).toBe('newer');
    expect(ledger.get('a')).toEqual(held({ power: 'absent' }));
    await expect(ledger.put(held({ seq: 1 }))).rejects.toThrow('go down');
  });

  it('forgets the long absent without forgetting their fence', async () => {
    const day = 24 * 3_600_000;
    const ledger = await Ledger.open(path, false);
    await ledger.put(held({ serverId: 'old', fence: 40, power: 'absent' }));
    await ledger.put(held({ serverId: 'kept', fence: 3, atMs: 0 }));
    await ledger.put(held({ serverId: 'fresh', fence: 41, power: 'absent', atMs: 9 * day }));
    await ledger.compact(10 * day);
    await ledger.close();
    const again = await opened(false);
    expect(
      again
        .all()
        .map((one) => one.serverId)
        .sort(),
    ).toEqual(['fresh', 'kept']);
    expect(again.judge('old', { fence: 40, seq: 99 })).toBe('older');
    expect(again.judge('never-seen', { fence: 41, seq: 0 })).toBe('newer');
    expect(again.judge('kept', { fence: 3, seq: 3 })).toBe('newer');
    expect(again.highestFence()).toBe(41);
  });

  it('keeps its file small', async () => {
    const ledger = await Ledger.open(path, false);
    for (let n = 0; n < 5_000; n++) await ledger.put(held({ seq: n + 3 }));
    await ledger.close();
    expect(statSync(path).size).toBeLessThan(400_000);
    expect((await opened(false)).get('a')?.seq).toBe(5_002);
  });
});
