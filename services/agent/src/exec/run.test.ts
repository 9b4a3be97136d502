import { expect, it } from 'vitest';
import { watch } from './run.js';

it('hears both streams of what goes on, and why it ended', async () => {
  const heard: string[] = [];
  const { signal } = new AbortController();
  const script = 'process.stdout.write("one\\n"); process.stderr.write("two\\n"); process.exitCode = 3';
  const end = await watch(process.execPath, ['-e', script], { signal, onLine: (line) => heard.push(line) });
  expect(heard.sort()).toEqual(['one', 'two']);
  expect(end).toMatch(/ended \(3\)/);
});

it('stops what goes on when it is told to', async () => {
  const stop = new AbortController();
  const script = 'console.log("up"); setInterval(() => {}, 1_000)';
  const onLine = () => stop.abort();
  expect(await watch(process.execPath, ['-e', script], { signal: stop.signal, onLine })).toContain(process.execPath);
});
