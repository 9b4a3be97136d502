import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { WatchOptions } from '../exec/run.js';
import { AdvertisementGuard, asksForFlow } from './advertisement-guard.js';

const OURS = ' event=DELETED reason=delete table=74 cookie=0x7961677572610001 icmp6,icmp_type=134';
const OTHERS = ' event=DELETED reason=delete table=74 cookie=0x5947 icmp6,icmp_type=136';
const BEGIN = 'NXST_FLOW_MONITOR reply (xid=0x6):';

describe('the flow is put', () => {
  it('when the watch begins and when it was deleted, not for what others lose', () => {
    expect(asksForFlow(BEGIN, true)).toBe(true);
    expect(asksForFlow(OURS, false)).toBe(true);
    expect(asksForFlow(OTHERS, false)).toBe(false);
    expect(asksForFlow(BEGIN, false)).toBe(false);
  });
});

describe('a guard', () => {
  afterEach(() => vi.useRealTimers());

  it('puts the flow again after each loss, also of the whole switch, until it is stopped', async () => {
    vi.useFakeTimers();
    const put: string[][] = [];
    const watches: { options: WatchOptions; end: (why: string) => void }[] = [];
    const guard = new AdvertisementGuard({
      run: async (_command, args) => {
        put.push([...args]);
        return '';
      },
      watch: (_command, _args, options) =>
        new Promise((resolve) => {
          watches.push({ options, end: resolve });
          options.signal.addEventListener('abort', () => resolve('stopped'));
        }),
      bridge: 'br-int',
      log: pino({ level: 'silent' }),
    });
    guard.start();
    watches[0]!.options.onLine(BEGIN);
    expect(put).toEqual([['add-flow', 'br-int', expect.stringContaining('icmp_type=134')]]);
    watches[0]!.options.onLine(OTHERS);
    expect(put).toHaveLength(1);
    watches[0]!.options.onLine(OURS);
    expect(put).toHaveLength(2);
    watches[0]!.end('the switch went');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(watches).toHaveLength(2);
    watches[1]!.options.onLine(BEGIN);
    expect(put).toHaveLength(3);
    await guard.stop();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(watches).toHaveLength(2);
  });
});
