/** A response is a table of fields; version and policy are columns of it, so nothing branches. */
import { type Microversion, mv } from './microversion.js';

export interface ViewContext {
  readonly version: Microversion;
  /** Public base URL of the service, with no slash at its end. */
  readonly base: string;
  /** True when the caller satisfies the rule of that name for the row at hand. */
  may(rule: string, row: unknown): boolean;
}

export interface Field<R> {
  readonly name: string;
  readonly since?: string;
  readonly until?: string;
  /** Name of a policy rule; the field is left out for those who do not satisfy it. */
  readonly rule?: string;
  from(row: R, context: ViewContext): unknown;
}

export type View<R> = (row: R, context: ViewContext) => Record<string, unknown>;

/** A view whose field list for each version is worked out once. A field that yields undefined is left out. */
export function view<R>(fields: readonly Field<R>[]): View<R> {
  const byVersion = new Map<Microversion, readonly Field<R>[]>();
  const liveAt = (version: Microversion): readonly Field<R>[] => {
    let live = byVersion.get(version);
    if (!live) {
      live = fields.filter((f) => (!f.since || mv(f.since) <= version) && (!f.until || version <= mv(f.until)));
      byVersion.set(version, live);
    }
    return live;
  };
  return (row, context) => {
    const out: Record<string, unknown> = {};
    for (const field of liveAt(context.version)) {
      if (field.rule && !context.may(field.rule, row)) continue;
      const value = field.from(row, context);
      if (value !== undefined) out[field.name] = value;
    }
    return out;
  };
}
