/** What this API is: versions, resources, extensions. An alias stands here only when all of it is here. */

export interface Extension {
  readonly alias: string;
  readonly name: string;
  readonly description: string;
}

const EXTENSIONS: readonly Extension[] = [
  {
    alias: 'allowed-address-pairs',
    name: 'Allowed Address Pairs',
    description: 'Further addresses that a port may send from.',
  },
  { alias: 'binding', name: 'Port Binding', description: 'Where a port is bound, for administrators.' },
  {
    alias: 'empty-string-filtering',
    name: 'Empty String Filtering',
    description: 'Lists can be filtered by empty values.',
  },
  {
    alias: 'filter-validation',
    name: 'Filter Validation',
    description: 'A filter by an unknown attribute is refused.',
  },
  {
    alias: 'ip-substring-filtering',
    name: 'IP Substring Filtering',
    description: 'Ports can be found by a part of an address.',
  },
  { alias: 'net-mtu', name: 'Network MTU', description: 'The MTU of each network.' },
  { alias: 'net-mtu-writable', name: 'Network MTU (writable)', description: 'The MTU of a network can be chosen.' },
  { alias: 'pagination', name: 'Pagination', description: 'Lists come in pages, in both directions.' },
  {
    alias: 'port-security',
    name: 'Port Security',
    description: 'Filtering can be turned off for a port or a network.',
  },
  { alias: 'project-id', name: 'Project Id', description: 'Resources name their project as project_id.' },
  { alias: 'provider', name: 'Provider Network', description: 'How a network is realized, for administrators.' },
  { alias: 'quota_details', name: 'Quota Details', description: 'Limits together with what is used.' },
  { alias: 'quotas', name: 'Quotas', description: 'Limits of each project.' },
  {
    alias: 'security-group',
    name: 'Security Groups',
    description: 'Groups of rules that filter the traffic of ports.',
  },
  {
    alias: 'security-groups-normalized-cidr',
    name: 'Normalized CIDR',
    description: 'The remote prefix of a rule as it is matched.',
  },
  { alias: 'sorting', name: 'Sorting', description: 'Lists can be sorted.' },
  { alias: 'standard-attr-description', name: 'Descriptions', description: 'Resources have a description.' },
  { alias: 'standard-attr-revisions', name: 'Revision Numbers', description: 'Resources count their changes.' },
  {
    alias: 'standard-attr-timestamp',
    name: 'Timestamps',
    description: 'Resources tell when they were made and changed.',
  },
  {
    alias: 'stateful-security-group',
    name: 'Stateful Security Groups',
    description: 'A group can filter without connection tracking.',
  },
];

const UPDATED = '2026-01-01T00:00:00Z';

const extensionView = (extension: Extension): Record<string, unknown> => ({
  ...extension,
  updated: UPDATED,
  links: [],
});

export const extensionsBody = (): Record<string, unknown> => ({ extensions: EXTENSIONS.map(extensionView) });

export function extensionBody(alias: string): Record<string, unknown> | undefined {
  const known = EXTENSIONS.find((extension) => extension.alias === alias);
  return known && { extension: extensionView(known) };
}

const COLLECTIONS: readonly (readonly [one: string, many: string])[] = [
  ['network', 'networks'],
  ['subnet', 'subnets'],
  ['port', 'ports'],
  ['security-group', 'security-groups'],
  ['security-group-rule', 'security-group-rules'],
  ['quota', 'quotas'],
  ['extension', 'extensions'],
];

export const versionsBody = (base: string): Record<string, unknown> => ({
  versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: `${base}/v2.0/` }] }],
});

export const resourcesBody = (base: string): Record<string, unknown> => ({
  resources: COLLECTIONS.map(([one, many]) => ({
    name: one,
    collection: many,
    links: [{ rel: 'self', href: `${base}/v2.0/${many}` }],
  })),
});
