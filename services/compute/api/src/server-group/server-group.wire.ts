/** Groups of servers on the wire. */
import { type TSchema, Type } from 'typebox';
import { body, type Field, variants, view } from '#libs/wire';
import { GROUP_POLICIES, type GroupPolicy, type ServerGroup } from '#services/compute/domain';
import { looseQuery, Many } from '../paging.wire.js';
import { Name, Whole } from '../values.wire.js';

const shut = { additionalProperties: false } as const;
const oneOf = (...words: readonly GroupPolicy[]) => Type.Union(words.map((word) => Type.Literal(word)));
/** One policy in a list, for that was once meant to hold several. */
const listed = (...words: readonly GroupPolicy[]) => Type.Array(oneOf(...words), { minItems: 1, maxItems: 1 });
const around = (fields: Record<string, TSchema>) =>
  Type.Object({ server_group: Type.Object({ name: Name, ...fields }, shut) }, shut);

interface NewGroupBody {
  readonly server_group: {
    readonly name: string;
    readonly policies?: readonly GroupPolicy[];
    readonly policy?: GroupPolicy;
    readonly rules?: { readonly max_server_per_host?: number | string };
  };
}

export const newGroupBody = body(
  Type.Unsafe<NewGroupBody>(
    variants(
      ['2.1', around({ policies: listed('affinity', 'anti-affinity') })],
      ['2.15', around({ policies: listed(...GROUP_POLICIES) })],
      [
        '2.64',
        around({
          policy: oneOf(...GROUP_POLICIES),
          rules: Type.Optional(Type.Object({ max_server_per_host: Type.Optional(Whole) }, shut)),
        }),
      ],
    ),
  ),
);

export const groupsQuery = looseQuery({
  all_projects: Many,
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  offset: Type.Optional(Type.Integer({ minimum: 0 })),
});

export interface GroupRow extends ServerGroup {
  readonly members: readonly string[];
}

const fields: readonly Field<GroupRow>[] = [
  { name: 'id', from: (group) => group.id },
  { name: 'name', from: (group) => group.name },
  { name: 'policies', until: '2.63', from: (group) => [group.policy] },
  { name: 'metadata', until: '2.63', from: () => ({}) },
  { name: 'policy', since: '2.64', from: (group) => group.policy },
  {
    name: 'rules',
    since: '2.64',
    from: ({ maxPerHost }) => (maxPerHost === null ? {} : { max_server_per_host: maxPerHost }),
  },
  { name: 'members', from: (group) => group.members },
  { name: 'project_id', since: '2.13', from: (group) => group.projectId },
  { name: 'user_id', since: '2.13', from: (group) => group.userId },
];
export const shownGroup = view<GroupRow>(fields);
