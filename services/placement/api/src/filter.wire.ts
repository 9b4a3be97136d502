/** The filters of query strings: amounts, traits and aggregates, with what each version lets them say. */
import { fail, isUuid } from '#libs/kernel';
import { type Microversion, mv } from '#libs/wire';
import type { Amounts } from '#services/placement/domain';
import { BAD_VALUE } from './store.js';

const bad = (message: string): Error => fail.invalid(message, BAD_VALUE);

/** `VCPU:4,MEMORY_MB:512`. */
export function parseResources(text: string, key = 'resources'): Amounts {
  const amounts: Record<string, number> = {};
  for (const part of text.split(',')) {
    const [, name, amount] = /^([A-Z0-9_]+):([0-9]{1,15})$/.exec(part.trim()) ?? [];
    if (!name || !amount) {
      throw bad(
        `Badly formed ${key} parameter. Expected resources query string in form: ?${key}=VCPU:2,DISK_GB:100. Got: ${part.slice(0, 100)}.`,
      );
    }
    if (Number(amount) < 1) throw bad(`Requested resource ${name} requires an amount of at least 1. Got: ${amount}.`);
    if (amounts[name] !== undefined) throw bad(`Resource class ${name} appears twice in the ${key} parameter.`);
    amounts[name] = Number(amount);
  }
  return amounts;
}

export interface TraitFilter {
  /** One of each list. */
  readonly required: string[][];
  readonly forbidden: string[];
}

/** `A,!B`, from 1.39 on also `in:A,B`, and repeated. */
export function parseTraits(values: readonly string[], version: Microversion, key = 'required'): TraitFilter {
  if (values.length > 1 && version < mv('1.39')) throw bad(`The ${key} parameter may be given once in this version.`);
  const filter: TraitFilter = { required: [], forbidden: [] };
  for (const value of values) {
    if (value.startsWith('in:') && version >= mv('1.39'))
      filter.required.push(traitNames(value.slice(3).split(','), key));
    else addTraits(value.split(','), filter, version, key);
  }
  const conflicting = filter.required.filter(([name, ...more]) => !more.length && filter.forbidden.includes(name!));
  if (conflicting.length)
    throw bad(`Conflicting required and forbidden traits found in the ${key} parameter: ${conflicting.join(', ')}.`);
  return filter;
}

function addTraits(parts: readonly string[], filter: TraitFilter, version: Microversion, key: string): void {
  for (const part of parts.map((text) => text.trim())) {
    const negated = part.startsWith('!') && version >= mv('1.22');
    const [name] = traitNames([negated ? part.slice(1) : part], key);
    if (negated) filter.forbidden.push(name!);
    else filter.required.push([name!]);
  }
}

function traitNames(names: readonly string[], key: string): string[] {
  const trimmed = names.map((name) => name.trim());
  if (trimmed.some((name) => !/^[A-Z0-9_]{1,255}$/.test(name))) {
    throw bad(
      `Invalid query string parameters: Expected '${key}' parameter value of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC. Got: ${trimmed.join(',').slice(0, 100)}.`,
    );
  }
  return trimmed;
}

export interface AggregateFilter {
  /** Member of one of each list. */
  readonly memberOf: string[][];
  readonly notMemberOf: string[];
}

/** `<uuid>` or `in:<uuid>,<uuid>`; negated from 1.32 on, repeated from 1.24 on. */
export function parseMemberOf(values: readonly string[], version: Microversion, key = 'member_of'): AggregateFilter {
  if (values.length > 1 && version < mv('1.24')) throw bad(`The ${key} parameter may be given once in this version.`);
  const filter: AggregateFilter = { memberOf: [], notMemberOf: [] };
  for (const value of values) {
    const negated = value.startsWith('!') && version >= mv('1.32');
    const text = negated ? value.slice(1) : value;
    const ids = text.startsWith('in:') ? text.slice(3).split(',') : [text];
    if (!ids.every(isUuid)) {
      throw bad(
        `Invalid query string parameters: Expected '${key}' parameter to contain valid UUID(s). Got: ${value.slice(0, 200)}.`,
      );
    }
    const lower = ids.map((id) => id.toLowerCase());
    if (negated) filter.notMemberOf.push(...lower);
    else filter.memberOf.push(lower);
  }
  return filter;
}

export function parseUuid(text: string, key: string): string {
  if (!isUuid(text))
    throw bad(
      `Invalid query string parameters: Expected '${key}' parameter to be a format of uuid. Got: ${text.slice(0, 100)}.`,
    );
  return text.toLowerCase();
}

/** One value or several of a query parameter, as a list. */
export const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;
