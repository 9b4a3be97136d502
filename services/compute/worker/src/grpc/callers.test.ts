import { expect, it } from 'vitest';
import { mayBeNode, nodeOf } from './callers.js';

it('lets a node speak for itself and for no other', () => {
  expect(nodeOf('node-1', '')).toBe('node-1');
  expect(nodeOf('node-1', 'node-1')).toBe('node-1');
  expect(() => nodeOf('node-1', 'node-2')).toThrow('may not speak for');
  expect(() => nodeOf('node-1', 'sim-001')).toThrow('may not speak for');
});

it('lets the process of simulated nodes speak for those alone', () => {
  expect(nodeOf('simulated', 'sim-001')).toBe('sim-001');
  expect(() => nodeOf('simulated', '')).toThrow('may not speak for');
  expect(() => nodeOf('simulated', 'node-1')).toThrow('may not speak for');
  expect(() => nodeOf('simulated', 'sim-../x')).toThrow('may not speak for');
});

it('takes no service for a node', () => {
  expect(['node-1', 'simulated', 'sim-100'].every(mayBeNode)).toBe(true);
  expect(['image', 'cli', 'compute', 'Node', 'a.b', ''].some(mayBeNode)).toBe(false);
});
