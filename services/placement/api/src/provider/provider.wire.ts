/** Resource providers on the wire. */
import { Type } from 'typebox';
import type { Call } from '#libs/platform/http';
import { during, mv, type View, view } from '#libs/wire';
import type { Provider } from '#services/placement/domain';
import { parseMemberOf, parseResources, parseTraits } from '../filter.wire.js';
import { type AnyCall, href, Uuid } from '../values.wire.js';
import { jsonBody, queryString } from '../words.wire.js';

const Name = Type.String({ minLength: 1, maxLength: 200 });
const Parent = Type.Optional(Type.Union([Uuid, Type.Null()], during({ since: '1.14' })));

export const NewProvider = jsonBody(
  Type.Object({ name: Name, uuid: Type.Optional(Uuid), parent_provider_uuid: Parent }, { additionalProperties: false }),
);
export const ChangedProvider = jsonBody(
  Type.Object({ name: Name, parent_provider_uuid: Parent }, { additionalProperties: false }),
);

const Text = Type.String();
const Texts = Type.Array(Text);
export const ProviderQuery = queryString(
  Type.Object(
    {
      name: Type.Optional(Text),
      uuid: Type.Optional(Uuid),
      member_of: Type.Optional(Type.Unsafe<string[]>({ ...Texts, since: '1.3' })),
      resources: Type.Optional(Type.String(during({ since: '1.4' }))),
      in_tree: Type.Optional(Type.Unsafe<string>({ ...Uuid, ...during({ since: '1.14' }) })),
      required: Type.Optional(Type.Unsafe<string[]>({ ...Texts, since: '1.18' })),
    },
    { additionalProperties: false },
  ),
);

export interface ProviderFilters {
  readonly name?: string;
  readonly uuid?: string;
  readonly member_of?: string[];
  readonly resources?: string;
  readonly in_tree?: string;
  readonly required?: string[];
}

/** The filters that have a grammar of their own, which grew with the versions. */
export const filtersOf = ({
  query: { required, member_of, resources },
  version,
}: Call<undefined, ProviderFilters>) => ({
  traits: parseTraits(required ?? [], version),
  aggregates: parseMemberOf(member_of ?? [], version),
  resources: Object.entries(resources === undefined ? {} : parseResources(resources)),
});

const LINKS = [
  ['self', '', '1.0'],
  ['inventories', '/inventories', '1.0'],
  ['usages', '/usages', '1.0'],
  ['aggregates', '/aggregates', '1.1'],
  ['traits', '/traits', '1.6'],
  ['allocations', '/allocations', '1.11'],
] as const;

const linksOf = (call: AnyCall, id: string): { rel: string; href: string }[] =>
  LINKS.filter(([, , since]) => mv(since) <= call.version).map(([rel, path]) => ({
    rel,
    href: href(call, `/resource_providers/${id}${path}`),
  }));

interface Row {
  readonly provider: Provider;
  readonly call: AnyCall;
}

const fields: View<Row> = view<Row>([
  { name: 'uuid', from: ({ provider }) => provider.id },
  { name: 'name', from: ({ provider }) => provider.name },
  { name: 'generation', from: ({ provider }) => provider.facts.generation },
  { name: 'parent_provider_uuid', since: '1.14', from: ({ provider }) => provider.facts.parentId },
  { name: 'root_provider_uuid', since: '1.14', from: ({ provider }) => provider.facts.rootId },
  { name: 'links', from: ({ provider, call }) => linksOf(call, provider.id) },
]);

export const providerView = (call: AnyCall, provider: Provider): Record<string, unknown> =>
  fields({ provider, call }, call);
