import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fits, headroom, limitsFrom, quotaRefusal, UNLIMITED, usageOf } from './quota.js';

const small = { vcpus: 2, memoryMb: 512 };
const limits = limitsFrom({ instances: 10, cores: 5, ram: 4_096 });

it('leaves room for what the scarcest resource allows', () => {
  expect(headroom(limits, { instances: 0, cores: 0, ram: 0 }, small, 10)).toBe(2);
  expect(headroom(limits, { instances: 0, cores: 4, ram: 0 }, small, 10)).toBe(0);
  expect(
    headroom(limitsFrom({ cores: UNLIMITED, ram: UNLIMITED }), { instances: 9, cores: 99, ram: 99 }, small, 5),
  ).toBe(1);
});

it('never leaves more room than fits, nor less', () => {
  const amount = fc.integer({ min: 0, max: 200 });
  fc.assert(
    fc.property(
      amount,
      amount,
      amount,
      amount,
      amount,
      fc.integer({ min: 1, max: 20 }),
      (i, c, r, usedI, usedC, wanted) => {
        const bounds = limitsFrom({ instances: i, cores: c, ram: r * 512 });
        const used = { instances: usedI, cores: usedC, ram: 0 };
        const room = headroom(bounds, used, small, wanted);
        const holds = (count: number): boolean => {
          const more = usageOf(small, count);
          return (['instances', 'cores', 'ram'] as const).every((name) => fits(bounds[name], used[name] + more[name]));
        };
        expect(room === 0 || holds(room)).toBe(true);
        expect(room < wanted && holds(room + 1)).toBe(false);
      },
    ),
  );
});

it('names what is short, in one sentence', () => {
  expect(quotaRefusal(limits, { instances: 10, cores: 4, ram: 0 }, usageOf(small, 1))).toBe(
    'Quota exceeded for instances, cores: Requested 1, 2, but already used 10, 4 of 10, 5 instances, cores',
  );
});

it('lets later limits win', () => {
  expect(limitsFrom({ cores: 1, ram: 2 }, { cores: 3 })).toMatchObject({ cores: 3, ram: 2, instances: 10 });
});
