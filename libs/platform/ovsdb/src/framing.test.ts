import { describe, expect, it } from 'vitest';
import { JsonFrames } from './framing.js';

const texts = [{ a: 'br{ack]et "quoted" back\\slash' }, [1, [2, { b: null }]], { '}': '{"' }, { ö: '漢字' }];
const stream = Buffer.from(texts.map((text) => JSON.stringify(text)).join('\n'));

describe('the framing of JSON texts without delimiters', () => {
  it('finds the same texts wherever the stream is cut', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const frames = new JsonFrames(1000);
      const found = [...frames.push(stream.subarray(0, cut)), ...frames.push(stream.subarray(cut))];
      expect(found).toEqual(texts);
    }
  });

  it('takes one byte at a time', () => {
    const frames = new JsonFrames(1000);
    const found = [...stream].flatMap((byte) => frames.push(Buffer.from([byte])));
    expect(found).toEqual(texts);
  });

  it('refuses a text beyond its bound, before all of it has come', () => {
    const frames = new JsonFrames(64);
    expect(() => frames.push(Buffer.from(`["${'x'.repeat(100)}`))).toThrow('exceeds 64 bytes');
  });

  it('refuses what is not JSON', () => {
    expect(() => new JsonFrames(64).push(Buffer.from('[1,,2]'))).toThrow('not JSON');
    expect(() => new JsonFrames(64).push(Buffer.from('}'))).toThrow('unbalanced');
  });
});
