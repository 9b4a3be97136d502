/** The filters of query strings: amounts, traits and aggregates, with what each version lets them say. */
import { fail, isUuidLike } from '#libs/kernel';
import { type Microversion, mv } from '#libs/wire';
import type { Amounts } from '#services/placement/domain';
import { dashed } from './values.wire.js';

const bad = (message: string): Error => fail.invalid(message);
const clipped = (text: string): string => text.slice(0, 200);
const badQuery = (message: string): Error => bad(`Invalid query string parameters: ${message}`);

/** `VCPU:4,MEMORY_MB:512`. A class that stands there twice counts as it stands there last. */
export function parseResources(text: string): Amounts {
  const amounts: Record<string, number> = {};
  for (const part of text.split(',')) {
    const [name, amount, ...more] = part.split(':');
    if (text.trim() === '' || name === undefined || amount === undefined || more.length) {
      const got = text.trim() === '' ? 'empty string' : clipped(part);
      throw bad(
        `Badly formed resources parameter. Expected resources query string parameter in form: ?resources=VCPU:2,MEMORY_MB:1024. Got: ${got}.`,
      );
    }
    amounts[name] = amountOf(name, amount);
  }
  return amounts;
}

function amountOf(name: string, text: string): number {
  if (!/^\s*[+-]?\d{1,15}\s*$/.test(text)) {
    throw bad(`Requested resource ${clipped(name)} expected positive integer amount. Got: ${clipped(text)}.`);
  }
  const amount = Number(text);
  if (amount < 1) throw bad(`Requested resource ${clipped(name)} requires amount >= 1. Got: ${amount}.`);
  return amount;
}

export interface TraitFilter {
  /** One of each list. */
  readonly required: string[][];
  readonly forbidden: string[];
}

const ANY_FORM = 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC';

/** `A,!B`, from 1.39 on also `in:A,B`, and repeated; before, the last of several counts. */
export function parseTraits(values: readonly string[], version: Microversion): TraitFilter {
  const filter: TraitFilter = { required: [], forbidden: [] };
  for (const value of version >= mv('1.39') ? values : values.slice(-1)) {
    if (value.startsWith('in:')) filter.required.push(anyTraits(value, version));
    else addTraits(value, filter, version);
  }
  return filter;
}

function anyTraits(value: string, version: Microversion): string[] {
  if (version < mv('1.39')) {
    throw badQuery(`The format '${ANY_FORM}' only supported since microversion 1.39. Got: ${clipped(value)}`);
  }
  const names = value
    .slice(3)
    .split(',')
    .map((name) => name.trim());
  if (names.some((name) => name === '')) {
    throw badQuery(
      `Expected 'required' parameter value of the form: ${ANY_FORM}. Got an empty trait in: ${clipped(value)}`,
    );
  }
  if (names.some((name) => name.startsWith('!'))) {
    throw badQuery(`The format '${ANY_FORM}' does not support forbidden traits. Got: ${clipped(value)}`);
  }
  return names;
}

function addTraits(value: string, filter: TraitFilter, version: Microversion): void {
  const mayForbid = version >= mv('1.22');
  const form = `Expected 'required' parameter value of the form: HW_CPU_X86_VMX,${mayForbid ? '!' : ''}CUSTOM_MAGIC. Got`;
  for (const part of value.split(',').map((text) => text.trim())) {
    const name = part.replace(/^!+/, '');
    if (name === '') throw badQuery(`${form} an empty trait in: ${clipped(value)}`);
    if (!part.startsWith('!')) filter.required.push([name]);
    else if (mayForbid) filter.forbidden.push(name);
    else throw badQuery(`${form}: ${clipped(value)}`);
  }
}

/** Lists of which every trait is forbidden as well. */
export const conflicting = ({ required, forbidden }: TraitFilter): string[][] =>
  required.filter((any) => any.every((trait) => forbidden.includes(trait)));

export interface AggregateFilter {
  /** Member of one of each list. */
  readonly memberOf: string[][];
  readonly notMemberOf: string[];
}

/** `<uuid>` or `in:<uuid>,<uuid>`; negated from 1.32 on, repeated from 1.24 on. */
export function parseMemberOf(values: readonly string[], version: Microversion, suffix = ''): AggregateFilter {
  if (values.length > 1 && version < mv('1.24')) throw bad(`Multiple member_of${suffix} parameters are not supported`);
  const filter: AggregateFilter = { memberOf: [], notMemberOf: [] };
  for (const value of values) {
    const [, negated, several, text = ''] = /^(!?)(in:)?(.*)$/s.exec(value) ?? [];
    if (!several && text.includes(',')) {
      throw bad(
        `Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword using the valid microversion. Got: ${clipped(value)}`,
      );
    }
    const ids = aggregateIds(several ? text.split(',') : [text]);
    if (negated && version < mv('1.32')) {
      throw bad(`Forbidden member_of${suffix} parameters are not supported in the specified microversion`);
    }
    if (negated) filter.notMemberOf.push(...ids);
    else filter.memberOf.push(ids);
  }
  return filter;
}

function aggregateIds(texts: readonly string[]): string[] {
  const wrong = texts.find((text) => !isUuidLike(text));
  if (wrong !== undefined) {
    throw badQuery(`Expected 'member_of' parameter to contain valid UUID(s). Got: ${clipped(wrong)}`);
  }
  return texts.map(dashed);
}

export function parseInTree(text: string): string {
  const id = text.trim();
  if (!isUuidLike(id)) throw badQuery(`Expected 'in_tree' parameter to be a format of uuid. Got: ${clipped(text)}`);
  return dashed(id);
}

/** One value or several of a query parameter, as a list. */
export const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;
