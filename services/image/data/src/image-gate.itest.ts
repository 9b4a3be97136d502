import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFailure } from '#libs/kernel';
import { compileGate } from '../../app/src/testbed.fixture.js';
import { HOSTILE, SOUND } from '../../gate/src/qcow2.fixture.js';
import { Gate } from './image-gate.js';

const folder = mkdtempSync(join(tmpdir(), 'yagura-gate-'));
const maxVirtual = 16 * 2 ** 40;
let gate: Gate;
beforeAll(async () => {
  gate = await Gate.open({ program: compileGate(folder), maxVirtual });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function judge(bytes: Buffer, declared: string, by = gate): Promise<unknown> {
  const path = join(folder, 'image');
  writeFileSync(path, bytes);
  const file = await open(path, 'r');
  try {
    return await by.judge(file.fd, declared).catch((error: unknown) => error);
  } finally {
    await file.close();
  }
}

/** A program in the gate's place that does what it must not be able to do. */
const gateRunning = (name: string, code: string): Promise<Gate> => {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'package.json'), '{"type":"module"}');
  const ok = `console.log(JSON.stringify({ ok: true, format: 'raw', virtualSize: 1 }));`;
  writeFileSync(join(own, 'main.js'), `if (process.argv[2] === 'raw') { ${ok} } else { ${code} }`);
  return Gate.open({ program: join(own, 'main.js'), maxVirtual, wallMs: 1_500 });
};

describe('the sandboxed program', () => {
  it('says how it is confined', () => expect(gate.confinement).toContain('limits'));

  it('judges a corpus of hostile images (class 1)', async () => {
    for (const [name, declared, bytes, reason] of HOSTILE) {
      const outcome = await judge(bytes, declared);
      expect(isFailure(outcome, 'unsupportedMedia'), name).toBe(true);
      expect((outcome as Error).message, name).toMatch(reason);
    }
  }, 60_000);

  it('lets sound images pass', async () => {
    for (const [name, declared, bytes, virtualSize] of SOUND)
      expect(await judge(bytes, declared), name).toEqual({ format: declared, virtualSize });
  }, 30_000);

  it.each([
    ['reads another file', `const fs = await import('node:fs'); fs.readFileSync('/etc/passwd'); OK`],
    ['writes a file', `const fs = await import('node:fs'); fs.writeFileSync('/tmp/yagura-gate-escape', 'x'); OK`],
    ['starts a program', `(await import('node:child_process')).execFileSync('/bin/true'); OK`],
    ['takes all memory', `const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1));`],
    ['never ends', `for (;;) ;`],
    ['talks without end', `for (;;) process.stdout.write('x'.repeat(1000));`],
    ['says nothing', ``],
    ['says nonsense', `console.log('{"ok":true}')`],
    ['fails after a good verdict', `OK; process.exit(3)`],
  ])('is a no when it %s (class 3)', async (name, code) => {
    const ok = `console.log(JSON.stringify({ ok: true, format: 'qcow2', virtualSize: 1 }))`;
    const evil = await gateRunning(name.replaceAll(' ', '-'), code.replace('OK', ok));
    const outcome = await judge(Buffer.from('x'), 'qcow2', evil);
    expect(isFailure(outcome, 'unsupportedMedia')).toBe(true);
  });

  it('is asked once more when it ended without a word', async () => {
    // What the first one reads of its input, which both share, is not there for the second.
    const code = `const { readSync } = await import('node:fs');
      if (readSync(0, Buffer.alloc(1)) === 1) process.exit(3);
      console.log(JSON.stringify({ ok: true, format: 'qcow2', virtualSize: 1 }))`;
    const moody = await gateRunning('moody', code);
    expect(await judge(Buffer.from('x'), 'qcow2', moody)).toEqual({ format: 'qcow2', virtualSize: 1 });
  });

  it('has no network where namespaces are to be had', async () => {
    const code = `const { networkInterfaces } = await import('node:os');
      console.log(JSON.stringify({ ok: false, reason: Object.keys(networkInterfaces()).join() + ' ' + process.getuid() }))`;
    const looking = await gateRunning('looks', code);
    const outcome = (await judge(Buffer.from('x'), 'qcow2', looking)) as Error;
    const confined = looking.confinement.includes('network');
    expect(outcome.message.startsWith(' ')).toBe(confined);
  });
});
