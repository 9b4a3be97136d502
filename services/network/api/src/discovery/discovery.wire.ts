/** What this API is: versions, resources, extensions. */
import { EXTENSIONS, type Extension } from './extensions.js';

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
  ['router', 'routers'],
  ['floatingip', 'floatingips'],
  ['security-group', 'security-groups'],
  ['security-group-rule', 'security-group-rules'],
  ['default-security-group-rule', 'default-security-group-rules'],
  ['security-groups-default-statefulness', 'security-groups-default-statefulness'],
  ['address-group', 'address-groups'],
  ['address-scope', 'address-scopes'],
  ['subnetpool', 'subnetpools'],
  ['rbac-policy', 'rbac-policies'],
  ['trunk', 'trunks'],
  ['network_ip_availability', 'network-ip-availabilities'],
  ['metering_label', 'metering/metering-labels'],
  ['metering_label_rule', 'metering/metering-label-rules'],
  ['quota', 'quotas'],
  ['extension', 'extensions'],
  ['agent', 'agents'],
  ['availability_zone', 'availability_zones'],
  ['service-provider', 'service-providers'],
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
