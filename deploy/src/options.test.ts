import { describe, expect, it } from 'vitest';
import { parseDown, parseUp, UsageError } from './options.js';

describe('command lines', () => {
  it('gives only what was said, so that the rest stays as remembered', () => {
    expect(parseUp([])).toEqual({});
    expect(parseUp(['--nodes', '0', '--simulated', '100'])).toEqual({ nodes: 0, simulated: 100 });
    expect(parseUp(['--public-url', 'https://cloud.example/'])).toEqual({ publicUrl: 'https://cloud.example' });
  });

  it.each([
    [['--nodes', '-1']],
    [['--nodes', '1e2']],
    [['--port', '0']],
    [['--public-url', 'ftp://x']],
    [['--nodez', '1']],
    [['x']],
  ])('refuses %j with a sentence', (args) => {
    expect(() => parseUp(args)).toThrow(UsageError);
  });

  it('removes roots only together with the state', () => {
    expect(parseDown(['--purge'], {})).toEqual({ purge: true, roots: false, keepResults: false });
    expect(() => parseDown(['--roots'], {})).toThrow(UsageError);
  });
});
