/**
 * What one source file does that a rule may care about: what it imports (statically, dynamically, by re-export, for
 * types alone), which members and calls it uses, how long its functions are. One parse, one walk; rules are pure over
 * the outcome.
 */
import { parseSync } from '@swc/core';

export interface Import {
  /** Undefined for `import(expression)`. */
  readonly specifier: string | undefined;
  readonly line: number;
  /** `import type` and `export type … from`: gone at run time. */
  readonly typeOnly: boolean;
  /** What is taken by name; `*` for the whole. */
  readonly names: readonly string[];
}

/** A use of a name: `Date.now`, `eval()`, `new Date()`, `.save()`, `{shell: true}`, `"qemu-img"`. */
export interface Use {
  readonly text: string;
  readonly line: number;
}

export interface Facts {
  readonly imports: readonly Import[];
  readonly uses: readonly Use[];
  /** Functions with a body: where they start and how many lines they have. */
  readonly functions: readonly { readonly line: number; readonly lines: number }[];
}

interface Node {
  readonly type: string;
  readonly span: { readonly start: number; readonly end: number };
  readonly [key: string]: unknown;
}

const OPTIONS = { syntax: 'typescript', decorators: true, target: 'es2024' } as const;

/** Parses TypeScript. Throws what the parser throws. */
export function factsOf(text: string): Facts {
  // Spans count bytes from an arbitrary base; an empty statement put in front tells the base.
  const program = parseSync(`;${text}`, OPTIONS) as unknown as { body: Node[] };
  const [marker, ...body] = program.body;
  const collector = new Collector(text, (marker?.span.start ?? 0) + 1);
  for (const node of body) collector.visit(node);
  return collector;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

class Collector implements Facts {
  readonly imports: Import[] = [];
  readonly uses: Use[] = [];
  readonly functions: { line: number; lines: number }[] = [];
  readonly #bytes: Buffer;
  readonly #base: number;
  readonly #lineStarts: number[] = [0];

  constructor(text: string, base: number) {
    this.#bytes = Buffer.from(text);
    this.#base = base;
    for (let at = this.#bytes.indexOf(10); at >= 0; at = this.#bytes.indexOf(10, at + 1)) this.#lineStarts.push(at + 1);
  }

  visit(value: unknown): void {
    if (Array.isArray(value)) {
      for (const item of value) this.visit(item);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    if (isNode(value)) this.#note(value);
    for (const key in value) if (key !== 'span') this.visit((value as Record<string, unknown>)[key]);
  }

  #line(offset: number): number {
    const at = offset - this.#base;
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  #note(node: Node): void {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration':
      case 'TsImportType':
        this.#noteImport(node);
        break;
      case 'CallExpression':
      case 'NewExpression':
        this.#noteCall(node);
        break;
      case 'MemberExpression':
        this.#use(dotted(node), node);
        break;
      case 'KeyValueProperty':
        this.#noteProperty(node);
        break;
      case 'StringLiteral':
        this.#use(JSON.stringify(node['value']), node);
        break;
      default:
        this.#noteFunction(node);
    }
  }

  #use(text: string, node: Node): void {
    this.uses.push({ text, line: this.#line(node.span.start) });
  }

  #noteImport(node: Node): void {
    const source = (node['source'] ?? node['argument']) as Node | null | undefined;
    if (!source) return;
    const specifiers = (node['specifiers'] as Node[] | undefined) ?? [];
    this.imports.push({
      specifier: String(source['value']),
      line: this.#line(node.span.start),
      typeOnly: node['typeOnly'] === true || node.type === 'TsImportType',
      names: node.type === 'ExportAllDeclaration' ? ['*'] : specifiers.map(importedName),
    });
  }

  #noteCall(node: Node): void {
    const callee = node['callee'] as Node;
    const args = (node['arguments'] as { expression: Node }[] | null | undefined) ?? [];
    const first = args[0]?.expression;
    if (callee.type === 'Import' || (callee.type === 'Identifier' && callee['value'] === 'require')) {
      const specifier = first?.type === 'StringLiteral' ? String(first['value']) : undefined;
      const plain = first?.type === 'TemplateLiteral' && !(first['expressions'] as unknown[]).length;
      const cooked = plain ? String((first['quasis'] as { cooked: string }[])[0]?.cooked) : undefined;
      this.imports.push({
        specifier: specifier ?? cooked,
        line: this.#line(node.span.start),
        typeOnly: false,
        names: ['*'],
      });
      return;
    }
    const name = callee.type === 'Identifier' ? String(callee['value']) : lastOf(callee);
    const given = node.type === 'NewExpression' && !args.length ? '()' : '(…)';
    this.#use(node.type === 'NewExpression' ? `new ${name}${given}` : `${name}()`, node);
    if (first?.type === 'StringLiteral') this.#use(`${name}("…")`, node);
  }

  #noteProperty(node: Node): void {
    const key = node['key'] as Node;
    const value = node['value'] as Node;
    if (key.type === 'Identifier' && value.type === 'BooleanLiteral')
      this.#use(`{${String(key['value'])}: ${String(value['value'])}}`, key);
  }

  #noteFunction(node: Node): void {
    if (node.type !== 'FunctionBody') return;
    const line = this.#line(node.span.start);
    this.functions.push({ line, lines: this.#line(node.span.end) - line + 1 });
  }
}

function importedName(specifier: Node): string {
  if (specifier.type === 'ImportNamespaceSpecifier' || specifier.type === 'ExportNamespaceSpecifier') return '*';
  const original = (specifier['imported'] ?? specifier['orig'] ?? specifier['local']) as Node;
  return specifier.type === 'ImportDefaultSpecifier' ? 'default' : String(original['value']);
}

/** `a.b.c`, also for `a['b']`; what is not a name becomes nothing, as in `.save`. */
function dotted(node: Node): string {
  if (node.type === 'Identifier') return String(node['value']);
  if (node.type !== 'MemberExpression') return '';
  return `${dotted(node['object'] as Node)}.${propertyName(node)}`;
}

function propertyName(node: Node): string {
  const property = node['property'] as Node;
  if (property.type !== 'Computed') return String(property['value']);
  const expression = property['expression'] as Node;
  return expression.type === 'StringLiteral' ? String(expression['value']) : '[]';
}

const lastOf = (callee: Node): string => (callee.type === 'MemberExpression' ? `.${propertyName(callee)}` : '');
