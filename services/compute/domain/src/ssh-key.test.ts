import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rsaPublicLine, sshFingerprint, sshKeyTrouble } from './ssh-key.js';

const EXPONENT = Buffer.from([1, 0, 1]);
const rsa = (bytes: number): string => rsaPublicLine(EXPONENT, Buffer.alloc(bytes, 0xc3), 'me@here');

describe('a public key', () => {
  it('is taken whole', () => {
    expect(sshKeyTrouble(rsa(256))).toBeUndefined();
    expect(sshKeyTrouble(`  ${rsa(256)}\n`)).toBeUndefined();
    expect(sshFingerprint(rsa(256))).toMatch(/^(?:[0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  });

  it.each([
    ['', /form/],
    ['ssh-rsa', /form/],
    ['ssh-rsa JUNK me', /parts/],
    [rsa(64), /512 bits/],
    [`${rsa(256)}\nssh-rsa AAAA`, /one line/],
    [`command="x" ${rsa(256)}`, /form/],
    [rsa(256).replace('ssh-rsa', 'ssh-ed25519'), /parts/],
    [`ssh-rsa ${'A'.repeat(20_000)}`, /long/],
  ])('%s is refused', (text, why) => expect(sshKeyTrouble(text)).toMatch(why));

  it('is refused with anything behind its parts, or with a part cut', () => {
    const [type, encoded = ''] = rsa(256).split(' ');
    const blob = Buffer.from(encoded, 'base64');
    for (const changed of [Buffer.concat([blob, Buffer.from([0])]), blob.subarray(0, -1)])
      expect(sshKeyTrouble(`${type} ${changed.toString('base64')}`)).toBeDefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array(), (text, bytes) => {
        sshKeyTrouble(text);
        sshKeyTrouble(`ssh-rsa ${Buffer.from(bytes).toString('base64')} x`);
      }),
    );
  });
});
