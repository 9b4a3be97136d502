import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bufferSource, inspect, Refusal } from './index.js';
import { HOSTILE, qcow2, SOUND } from './qcow2.fixture.js';

const LIMITS = { maxVirtual: 16 * 2 ** 40 };

describe('the gate (class 1)', () => {
  it.each(HOSTILE)('refuses %s', (_name, declared, bytes, reason) => {
    expect(() => inspect(bufferSource(bytes), declared, LIMITS)).toThrow(reason);
    expect(() => inspect(bufferSource(bytes), declared, LIMITS)).toThrow(Refusal);
  });

  it.each(SOUND)('accepts %s', (_name, declared, bytes, virtualSize) => {
    expect(inspect(bufferSource(bytes), declared, LIMITS)).toEqual({ format: declared, virtualSize });
  });

  it('only ever accepts or refuses, whatever bytes of the header are spoilt', () => {
    const sound = qcow2();
    for (let round = 0; round < 3_000; round += 1) {
      const random = createHash('sha256').update(String(round)).digest();
      const bytes = Buffer.from(sound.subarray(0, random[0]! < 40 ? random.readUInt16BE(1) : sound.length));
      for (let n = 0; n < 1 + (random[3]! & 3); n += 1) {
        const at = 4 + (random[4 + n]! % 120);
        if (at < bytes.length) bytes[at] = random[10 + n]!;
      }
      try {
        inspect(bufferSource(bytes), 'qcow2', LIMITS);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }
  });
});
