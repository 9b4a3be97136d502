/** Extra specs of flavors that compare: a value, or an operator with what it compares to. */

type Compare = (own: string, asked: string) => boolean;

const numbers =
  (compare: (own: number, asked: number) => boolean): Compare =>
  (own, asked) =>
    own.trim() !== '' && asked.trim() !== '' && compare(Number(own), Number(asked));

const OPERATORS: Readonly<Record<string, Compare>> = {
  '=': numbers((own, asked) => own >= asked),
  '==': numbers((own, asked) => own === asked),
  '!=': numbers((own, asked) => own !== asked),
  '>=': numbers((own, asked) => own >= asked),
  '<=': numbers((own, asked) => own <= asked),
  's==': (own, asked) => own === asked,
  's!=': (own, asked) => own !== asked,
  's<': (own, asked) => own < asked,
  's<=': (own, asked) => own <= asked,
  's>': (own, asked) => own > asked,
  's>=': (own, asked) => own >= asked,
  '<in>': (own, asked) => own.includes(asked),
};

/** Whether what a node has meets what a spec says, such as `>= 4`, `<or> a <or> b`, `<all-in> aes sse`, or plain text. */
export function specMatches(spec: string, own: string): boolean {
  const text = spec.trim();
  if (text.startsWith('<or>')) return alternatives(text).includes(own);
  if (text.startsWith('<all-in>'))
    return text
      .split(/\s+/)
      .slice(1)
      .every((word) => own.includes(word));
  const [operator = '', ...asked] = text.split(/\s+/);
  const compare = asked.length ? OPERATORS[operator] : undefined;
  return compare ? compare(own, asked.join(' ')) : own === text;
}

const alternatives = (text: string): string[] =>
  text
    .split('<or>')
    .map((word) => word.trim())
    .filter(Boolean);

const COMPARISONS: Readonly<Record<string, (difference: number) => boolean>> = {
  '<=': (difference) => difference <= 0,
  '>=': (difference) => difference >= 0,
  '<': (difference) => difference < 0,
  '>': (difference) => difference > 0,
  '!=': (difference) => difference !== 0,
  '==': (difference) => difference === 0,
};
const COMPARISON = /^\s*(<=|>=|<|>|!=|==)\s*(\d{1,6}(?:\.\d{1,6}){0,2})\s*$/;

/**
 * Whether a hypervisor's version, one number as libvirt tells it (7.2.1: 7002001), meets all of `>=6.0, <8`. What can not be
 * read is not met.
 */
export function versionMeets(asked: string, own: string): boolean {
  return asked.split(',').every((part) => {
    const [, operator = '', version = ''] = COMPARISON.exec(part) ?? [];
    const [major = 0, minor = 0, micro = 0] = version.split('.').map(Number);
    return COMPARISONS[operator]?.(Number(own) - (major * 1_000_000 + minor * 1_000 + micro)) ?? false;
  });
}
