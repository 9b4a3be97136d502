/** From what a list is asked for to SQL: columns are ours, values always parameters. */

export const MATCHES = [
  'equals',
  'iexact',
  'contains',
  'icontains',
  'startswith',
  'istartswith',
  'endswith',
  'iendswith',
] as const;
export type Match = (typeof MATCHES)[number];

export interface Filter {
  readonly field: string;
  readonly match: Match;
  readonly value: string | boolean | null;
}

/** SQL with its parameters, as it is put together. */
export class Where {
  readonly params: unknown[];
  readonly #parts: string[] = [];

  constructor(...params: unknown[]) {
    this.params = params;
  }

  /** Adds a condition in which `?` stands for the value. */
  and(condition: string, ...values: unknown[]): this {
    const pieces = condition.split('?');
    let text = pieces[0] ?? '';
    for (const [index, value] of values.entries()) text += `$${this.params.push(value)}${pieces[index + 1] ?? ''}`;
    this.#parts.push(text);
    return this;
  }

  /** Adds the filters whose field is among the columns; `columns` maps fields to SQL expressions. */
  filters(filters: readonly Filter[], columns: Readonly<Record<string, string>>): this {
    for (const filter of filters) {
      const column = Object.hasOwn(columns, filter.field) ? columns[filter.field] : undefined;
      if (column !== undefined) this.#filter(column, filter);
    }
    return this;
  }

  get sql(): string {
    return this.#parts.length ? this.#parts.map((part) => `(${part})`).join(' and ') : 'true';
  }

  #filter(column: string, { match, value }: Filter): void {
    if (value === null) this.and(`${column} is null`);
    else if (match === 'equals' || typeof value === 'boolean') this.and(`${column} = ?`, value);
    else {
      const text = value.replaceAll(/[\\%_]/g, '\\$&');
      const insensitive = match.startsWith('i');
      const kind = insensitive ? match.slice(1) : match;
      const before = kind === 'contains' || kind === 'endswith' ? '%' : '';
      const after = kind === 'contains' || kind === 'startswith' ? '%' : '';
      this.and(`${column} ${insensitive ? 'ilike' : 'like'} ?`, `${before}${text}${after}`);
    }
  }
}

/** Documents of which a change gives some keys; the others stay. */
const MERGED = new Set(['extra', 'options']);

/** `set a = $2, b = $3` for the columns with a value; undefined when there is nothing to set. */
export function setClause(values: Readonly<Record<string, unknown>>, params: unknown[]): string | undefined {
  const parts = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([column, value]) => {
      const place = `$${params.push(value)}`;
      return MERGED.has(column) ? `${column} = ${column} || ${place}::jsonb` : `${column} = ${place}`;
    });
  return parts.length ? `set ${parts.join(', ')}` : undefined;
}

/** A jsonb parameter. */
export const json = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value));
