/** The query of GET /allocation_candidates as the domain's request: groups by suffix, and the rules between them. */
import { fail } from '#libs/kernel';
import { type Microversion, mv } from '#libs/wire';
import type { CandidateRequest, RequestGroup } from '#services/placement/domain';
import { listOf, parseMemberOf, parseResources, parseTraits, parseUuid } from '../filter.wire.js';
import { BAD_VALUE } from '../store.js';

type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

const bad = (message: string, type: string = BAD_VALUE.type): Error => fail.invalid(message, { type });
const MISSING = 'placement.query.missing_value';
const DUPLICATE = 'placement.query.duplicate_key';

/** Which keys exist since when; those of groups may carry a suffix. */
const SINCE: Readonly<Record<string, string>> = {
  resources: '1.10',
  limit: '1.16',
  required: '1.17',
  member_of: '1.21',
  group_policy: '1.25',
  in_tree: '1.31',
  root_required: '1.35',
  same_subtree: '1.36',
};
const OF_GROUP = /^(resources|required|member_of|in_tree)(.+)$/;
const SUFFIXES: readonly (readonly [since: string, pattern: RegExp])[] = [
  ['1.33', /^[a-zA-Z0-9_-]{1,64}$/],
  ['1.25', /^[1-9][0-9]*$/],
];

interface Parts {
  resources?: string;
  required: readonly string[];
  memberOf: readonly string[];
  inTree?: string;
}

/** Everything the query asks for. Throws `invalid` with the sentence that a caller can act upon. */
export function candidateRequest(query: Query, version: Microversion): CandidateRequest {
  const parts = groupParts(query, version);
  const groups = [...parts].map(([suffix, given]) => groupOf(suffix, given, version));
  const sameSubtree = listOf(query['same_subtree']).map((list) => list.split(','));
  checkSubtrees(sameSubtree, groups);
  const named = groups.filter((group) => group.suffix !== '');
  const policy = single(query, 'group_policy');
  if (policy !== undefined && policy !== 'none' && policy !== 'isolate')
    throw bad(`'${policy.slice(0, 50)}' is not one of ['none', 'isolate'].`);
  if (policy === undefined && named.filter((group) => Object.keys(group.resources).length).length > 1) {
    throw bad(
      'The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.',
      MISSING,
    );
  }
  const root = single(query, 'root_required');
  const rootTraits = root === undefined ? undefined : rootOf(root);
  return {
    groups,
    isolate: policy === 'isolate',
    rootRequired: rootTraits?.required.flat() ?? [],
    rootForbidden: rootTraits?.forbidden ?? [],
    sameSubtree,
    limit: limitOf(single(query, 'limit')),
    nested: version >= mv('1.29'),
  };
}

function groupParts(query: Query, version: Microversion): Map<string, Parts> {
  const parts = new Map<string, Parts>();
  for (const [key, value] of Object.entries(query)) {
    const [base, suffix] = splitKey(key, version);
    if (!['resources', 'required', 'member_of', 'in_tree'].includes(base)) continue;
    const group: Parts = parts.get(suffix) ?? { required: [], memberOf: [] };
    if (base === 'required') group.required = listOf(value);
    else if (base === 'member_of') group.memberOf = listOf(value);
    else if (base === 'resources') group.resources = single(query, key)!;
    else group.inTree = single(query, key)!;
    parts.set(suffix, group);
  }
  if (![...parts.values()].some((group) => group.resources !== undefined)) {
    throw bad('At least one request group (`resources` or `resources{$S}`) is required.', MISSING);
  }
  return parts;
}

function splitKey(key: string, version: Microversion): [base: string, suffix: string] {
  const since = Object.hasOwn(SINCE, key) ? SINCE[key] : undefined;
  if (since !== undefined && version >= mv(since)) return [key, ''];
  const [, base, suffix] = OF_GROUP.exec(key) ?? [];
  const allowed = SUFFIXES.find(([from]) => version >= mv(from))?.[1];
  const known = base !== undefined && suffix !== undefined && version >= mv(SINCE[base]!) && allowed?.test(suffix);
  if (!known)
    throw bad(
      `Invalid query string parameters: Additional properties are not allowed ('${key.slice(0, 100)}' was unexpected)`,
    );
  return [base, suffix];
}

function single(query: Query, key: string): string | undefined {
  const [value, ...more] = listOf(query[key]);
  if (more.length) throw bad(`Query parameter ${key} was given more than once.`, DUPLICATE);
  return value;
}

function groupOf(suffix: string, given: Parts, version: Microversion): RequestGroup {
  const resourceless = given.resources === undefined;
  if (resourceless && (suffix === '' || version < mv('1.36'))) {
    throw bad(`All request groups must specify resources. Resources not found in group "${suffix}".`, MISSING);
  }
  const traits = parseTraits(given.required, version, `required${suffix}`);
  const aggregates = parseMemberOf(given.memberOf, version, `member_of${suffix}`);
  return {
    suffix,
    resources: given.resources === undefined ? {} : parseResources(given.resources, `resources${suffix}`),
    required: traits.required,
    forbidden: traits.forbidden,
    memberOf: aggregates.memberOf,
    notMemberOf: aggregates.notMemberOf,
    inTree: given.inTree === undefined ? undefined : parseUuid(given.inTree, `in_tree${suffix}`),
  };
}

/** Only plain names: what every root must or must not have. */
function rootOf(text: string): ReturnType<typeof parseTraits> {
  const parts = text.split(',');
  if (parts.some((part) => part.startsWith('in:')))
    throw bad("Invalid query string parameters: 'root_required' takes no 'in:'.");
  return parseTraits([text], mv('1.22'), 'root_required');
}

function checkSubtrees(lists: readonly (readonly string[])[], groups: readonly RequestGroup[]): void {
  const known = new Set(groups.map((group) => group.suffix));
  const listed = new Set(lists.flat());
  for (const list of lists) {
    if (list.length < 2 && list[0] === '') throw bad('Empty same_subtree parameter.');
    const unknown = list.filter((suffix) => suffix === '' || !known.has(suffix));
    if (unknown.length)
      throw bad(
        `Real suffixes should be specified in same_subtree: ${unknown.join(', ').slice(0, 200)} not found in the request groups.`,
      );
  }
  const orphans = groups.filter((group) => !Object.keys(group.resources).length && !listed.has(group.suffix));
  if (orphans.length) {
    throw bad(
      `All resourceless request groups must be specified in the same_subtree query parameter: ${orphans.map((group) => group.suffix).join(', ')}.`,
    );
  }
}

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,8}$/.test(text))
    throw bad(`Invalid query string parameters: Failed validating 'pattern' of limit: ${text.slice(0, 50)}.`);
  return Number(text);
}
