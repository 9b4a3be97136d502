/** The query of GET /allocation_candidates as the domain's request: groups by suffix, and the rules between them. */
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { during, type Microversion, mv, variants } from '#libs/wire';
import type { CandidateRequest, RequestGroup } from '#services/placement/domain';
import { conflicting, listOf, parseInTree, parseMemberOf, parseResources, parseTraits } from '../filter.wire.js';
import { pythonText, queryString } from '../words.wire.js';

type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

const BAD = { type: 'placement.query.bad_value' } as const;
const MISSING = { type: 'placement.query.missing_value' } as const;
const DUPLICATE = { type: 'placement.query.duplicate_key' } as const;

const NUMBERED = '[1-9][0-9]*';
const NAMED = '[a-zA-Z0-9_-]{1,64}';
const Text = { type: 'string' };
const Limit = { ...Text, pattern: '^[1-9][0-9]*$', maxLength: 9, ...during({ since: '1.16' }) };

/** Keys of groups, each with a suffix or none. */
const grouped = (keys: readonly string[], suffix: string) =>
  Type.Unsafe<unknown>({
    type: 'object',
    properties: {
      limit: Limit,
      group_policy: { ...Text, enum: ['none', 'isolate'] },
      root_required: { ...Text, ...during({ since: '1.35' }) },
      same_subtree: { ...Text, ...during({ since: '1.36' }) },
    },
    patternProperties: Object.fromEntries(keys.map((key) => [`^${key}(${suffix})?$`, Text])),
    additionalProperties: false,
  });
const plain = Type.Unsafe<unknown>({
  type: 'object',
  properties: {
    resources: Text,
    limit: Limit,
    required: { ...Text, ...during({ since: '1.17' }) },
    member_of: { ...Text, ...during({ since: '1.21' }) },
  },
  required: ['resources'],
  additionalProperties: false,
});
const OF_GROUPS = ['resources', 'required', 'member_of'];

/** Of a key that is given more than once the last value is looked at. */
const CandidateQuery = queryString(
  variants(
    ['1.10', plain],
    ['1.25', grouped(OF_GROUPS, NUMBERED)],
    ['1.31', grouped([...OF_GROUPS, 'in_tree'], NUMBERED)],
    ['1.33', grouped([...OF_GROUPS, 'in_tree'], NAMED)],
  ),
);

interface Parts {
  resources?: string;
  required: readonly string[];
  memberOf: readonly string[];
  inTree?: string;
}

/** Everything the query asks for. Throws `invalid` with the sentence that a caller can act upon. */
export function candidateRequest(query: Query, version: Microversion): CandidateRequest {
  const last = Object.fromEntries(Object.entries(query).map(([key, value]) => [key, listOf(value).at(-1)]));
  const problem = CandidateQuery.check(last, version);
  if (problem !== undefined) throw fail.invalid(problem);
  const root = rootOf(query['root_required']);
  const sameSubtree = listOf(query['same_subtree']).map(suffixesOf);
  const groups = [...groupParts(query)].map(([suffix, given]) => groupOf(suffix, given, version));
  if (version >= mv('1.36')) checkSubtrees(sameSubtree, groups);
  else checkOrphans(groups);
  checkTraits(groups);
  const [policy] = listOf(query['group_policy']);
  if (policy === undefined && groups.filter(({ suffix }) => suffix !== '').length > 1) {
    throw fail.invalid(
      'The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.',
    );
  }
  const [limit] = listOf(query['limit']);
  return {
    groups,
    isolate: policy === 'isolate',
    rootRequired: root.required.flat(),
    rootForbidden: root.forbidden,
    sameSubtree,
    limit: limit === undefined ? undefined : Number(limit),
    nested: version >= mv('1.29'),
  };
}

const OF_GROUP = /^(resources|required|member_of|in_tree)(.*)$/;

function groupParts(query: Query): Map<string, Parts> {
  const parts = new Map<string, Parts>();
  for (const [key, value] of Object.entries(query)) {
    const [, base, suffix] = OF_GROUP.exec(key) ?? [];
    if (base === undefined || suffix === undefined) continue;
    const group: Parts = parts.get(suffix) ?? { required: [], memberOf: [] };
    const values = listOf(value);
    if (base === 'required') group.required = values;
    else if (base === 'member_of') group.memberOf = values;
    else if (base === 'resources') group.resources = values.at(-1)!;
    else group.inTree = values.at(-1)!;
    parts.set(suffix, group);
  }
  return parts;
}

function groupOf(suffix: string, given: Parts, version: Microversion): RequestGroup {
  return {
    suffix,
    resources: given.resources === undefined ? {} : parseResources(given.resources),
    ...parseTraits(given.required, version),
    ...parseMemberOf(given.memberOf, version, suffix),
    inTree: given.inTree === undefined ? undefined : parseInTree(given.inTree),
  };
}

/** What every root must and must not have; given once, without alternatives. */
function rootOf(value: Query[string]): ReturnType<typeof parseTraits> {
  const values = listOf(value);
  if (values.length > 1) throw fail.invalid("Query parameter 'root_required' may be specified only once.", DUPLICATE);
  const traits = parseTraits(values, mv('1.38'));
  const conflicts = conflicting(traits);
  if (conflicts.length) {
    throw fail.invalid(
      `Conflicting required and forbidden traits found in root_required: ${conflicts.join(', ')}`,
      BAD,
    );
  }
  return traits;
}

function suffixesOf(text: string): string[] {
  const suffixes = text.split(',').map((suffix) => suffix.trim());
  if (suffixes.includes('')) {
    throw fail.invalid('Empty string (unsuffixed group) can not be specified in `same_subtree` ', BAD);
  }
  return suffixes;
}

const isEmpty = ({ resources }: RequestGroup): boolean => Object.keys(resources).length === 0;

function checkSubtrees(lists: readonly (readonly string[])[], groups: readonly RequestGroup[]): void {
  const empty = groups.filter(isEmpty).map(({ suffix }) => suffix);
  if (empty.length === groups.length) {
    throw fail.invalid('There must be at least one resources or resources[$S] parameter.', MISSING);
  }
  const listed = new Set(lists.flat());
  const orphans = empty.filter((suffix) => !listed.has(suffix));
  if (orphans.length) {
    throw fail.invalid(
      `Resourceless suffixed group request should be specified in \`same_subtree\` query param: bad group(s) - ${pythonText(orphans)}.`,
      BAD,
    );
  }
  const known = groups.map(({ suffix }) => suffix);
  const unknown = [...listed].filter((suffix) => !known.includes(suffix));
  if (unknown.length) {
    throw fail.invalid(
      `Real suffixes should be specified in \`same_subtree\`: ${pythonText(unknown).slice(0, 500)} not found in ${pythonText(known)}.`,
      BAD,
    );
  }
}

/** Before 1.36 every group asks for resources. */
function checkOrphans(groups: readonly RequestGroup[]): void {
  const keys = (base: string, has: (group: RequestGroup) => boolean): string =>
    groups
      .filter((group) => isEmpty(group) && has(group))
      .map(({ suffix }) => `${base}${suffix}`)
      .join(', ');
  const traits = keys('required', ({ required }) => required.length > 0);
  if (traits) {
    throw fail.invalid(
      `All traits parameters must be associated with resources.  Found the following orphaned traits keys: ${traits}`,
    );
  }
  const aggregates = keys('member_of', ({ memberOf, notMemberOf }) => memberOf.length + notMemberOf.length > 0);
  if (aggregates) {
    throw fail.invalid(
      `All member_of parameters must be associated with resources. Found the following orphaned member_of keys: ${aggregates}`,
    );
  }
  if (groups.some(isEmpty)) throw fail.invalid('All request groups must specify resources.');
  if (!groups.length) {
    throw fail.invalid('At least one request group (`resources` or `resources{$S}`) is required.');
  }
}

function checkTraits(groups: readonly RequestGroup[]): void {
  const conflicts = groups.flatMap(({ suffix, required, forbidden }) =>
    conflicting({ required: required.map((any) => [...any]), forbidden: [...forbidden] }).map(
      (any) => `required${suffix}: (${any.toSorted().join(', ')})`,
    ),
  );
  if (conflicts.length) {
    throw fail.invalid(
      `Conflicting required and forbidden traits found in the following traits keys: ${conflicts.sort().join(', ')}`,
    );
  }
}
