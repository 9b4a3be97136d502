import { describe, expect, it } from 'vitest';
import { textMatch } from './text-match.js';

describe('a pattern of a client', () => {
  it.each([
    ['web', '%web%'],
    ['^web', 'web%'],
    ['web$', '%web'],
    ['^web-1$', 'web-1'],
    ['^web\\.example$', 'web.example'],
    ['100%', '%100\\%%'],
    ['a_b', '%a\\_b%'],
    ['', '%%'],
    ['^', '%'],
    ['\\-', '%-%'],
  ])('%s is plain text: %s', (pattern, value) => {
    expect(textMatch(pattern, 'name')).toEqual({ operator: 'ilike', value });
  });

  it.each(['a.c', 'a+', '[ab]', '(a|b)', 'a{2}', '\\d', 'a\\$'])('%s is an expression or text', (pattern) => {
    const { operator, value } = textMatch(pattern, 'name');
    expect(pattern === 'a\\$' ? [operator, value] : operator).toEqual(pattern === 'a\\$' ? ['ilike', '%a$%'] : '~*');
  });

  it.each(['(a)\\1', '***=x', 'a'.repeat(256)])('%s is refused', (pattern) => {
    expect(() => textMatch(pattern, 'name')).toThrow('Invalid input for query parameters name');
  });
});
