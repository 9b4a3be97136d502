/** Quota and limits on the wire: which resources show at which version. */
import { type TSchema, Type } from 'typebox';
import { body, during, type Field, view } from '#libs/wire';
import type { QuotaLimits, QuotaResource, ServerUsage } from '#services/compute/domain';
import { looseQuery } from '../paging.wire.js';
import { Truth, Whole } from '../values.wire.js';

const UNTIL_NETWORK = '2.35';
const UNTIL_INJECTED = '2.56';

/** The last version that shows a resource; undefined: all do. */
const UNTIL: Readonly<Record<QuotaResource, string | undefined>> = {
  cores: undefined,
  instances: undefined,
  ram: undefined,
  key_pairs: undefined,
  metadata_items: undefined,
  server_group_members: undefined,
  server_groups: undefined,
  injected_file_content_bytes: UNTIL_INJECTED,
  injected_file_path_bytes: UNTIL_INJECTED,
  injected_files: UNTIL_INJECTED,
  fixed_ips: UNTIL_NETWORK,
  floating_ips: UNTIL_NETWORK,
  security_groups: UNTIL_NETWORK,
  security_group_rules: UNTIL_NETWORK,
};
const RESOURCES = Object.keys(UNTIL) as readonly QuotaResource[];

/** Classes lost the network's resources later than projects did, and gained those of groups at the same time. */
const CLASS_UNTIL: Readonly<Partial<Record<QuotaResource, string>>> = {
  fixed_ips: '2.49',
  floating_ips: '2.49',
  security_groups: '2.49',
  security_group_rules: '2.49',
};
const CLASS_SINCE: Readonly<Partial<Record<QuotaResource, string>>> = {
  server_groups: '2.50',
  server_group_members: '2.50',
};

export interface QuotaRow {
  readonly id: string;
  readonly limits: QuotaLimits;
  readonly used: ServerUsage & { readonly key_pairs?: number; readonly server_groups?: number };
}

const span = (until: string | undefined, since?: string) => ({
  ...(until ? { until } : {}),
  ...(since ? { since } : {}),
});
const id: Field<QuotaRow> = { name: 'id', from: (row) => row.id };
const limits = RESOURCES.map(
  (resource): Field<QuotaRow> => ({
    name: resource,
    ...span(UNTIL[resource]),
    from: (row) => row.limits[resource],
  }),
);
const classLimits = RESOURCES.map(
  (resource): Field<QuotaRow> => ({
    name: resource,
    ...span(CLASS_UNTIL[resource] ?? UNTIL[resource], CLASS_SINCE[resource]),
    from: (row) => row.limits[resource],
  }),
);

export const shownQuota = view([id, ...limits]);
export const updatedQuota = view(limits);
export const shownClass = view([id, ...classLimits]);
export const updatedClass = view(classLimits);

const usedOf = (row: QuotaRow, resource: QuotaResource): number =>
  (row.used as Partial<Record<QuotaResource, number>>)[resource] ?? 0;
export const detailedQuota = view([
  id,
  ...RESOURCES.map(
    (resource): Field<QuotaRow> => ({
      name: resource,
      ...span(UNTIL[resource]),
      from: (row) => ({ limit: row.limits[resource], in_use: usedOf(row, resource), reserved: 0 }),
    }),
  ),
]);

const shut = { additionalProperties: false } as const;
type Wanted = Partial<Record<QuotaResource, number | string>>;

function limitFields(ofClass: boolean): Record<string, TSchema> {
  return Object.fromEntries(
    RESOURCES.map((resource) => {
      const range = ofClass
        ? span(CLASS_UNTIL[resource] ?? UNTIL[resource], CLASS_SINCE[resource])
        : span(UNTIL[resource]);
      return [resource, Type.Optional(Type.Unsafe<number | string>({ ...Whole, ...during(range) }))];
    }),
  );
}

export const quotaBody = body(
  Type.Object(
    {
      quota_set: Type.Unsafe<Wanted & { force?: boolean | string }>(
        Type.Object({ ...limitFields(false), force: Type.Optional(Truth) }, shut),
      ),
    },
    shut,
  ),
);
export const classBody = body(
  Type.Object({ quota_class_set: Type.Unsafe<Wanted>(Type.Object(limitFields(true), shut)) }, shut),
);
export const quotaQuery = looseQuery({ user_id: Type.Optional(Type.Array(Type.String({ maxLength: 255 }))) });

export const limitsQuery = looseQuery({
  tenant_id: Type.Optional(Type.Array(Type.String({ maxLength: 255 }))),
  reserved: Type.Optional(Type.Array(Type.String({ maxLength: 255 }))),
});

export const absoluteLimits = view<QuotaRow>([
  { name: 'maxTotalRAMSize', from: (row) => row.limits.ram },
  { name: 'maxTotalCores', from: (row) => row.limits.cores },
  { name: 'maxTotalInstances', from: (row) => row.limits.instances },
  { name: 'maxTotalKeypairs', from: (row) => row.limits.key_pairs },
  { name: 'maxServerMeta', from: (row) => row.limits.metadata_items },
  { name: 'maxImageMeta', until: '2.38', from: (row) => row.limits.metadata_items },
  { name: 'maxPersonality', until: UNTIL_INJECTED, from: (row) => row.limits.injected_files },
  { name: 'maxPersonalitySize', until: UNTIL_INJECTED, from: (row) => row.limits.injected_file_content_bytes },
  { name: 'maxServerGroups', from: (row) => row.limits.server_groups },
  { name: 'maxServerGroupMembers', from: (row) => row.limits.server_group_members },
  { name: 'maxTotalFloatingIps', until: UNTIL_NETWORK, from: (row) => row.limits.floating_ips },
  { name: 'maxSecurityGroups', until: UNTIL_NETWORK, from: (row) => row.limits.security_groups },
  { name: 'maxSecurityGroupRules', until: UNTIL_NETWORK, from: (row) => row.limits.security_group_rules },
  { name: 'totalRAMUsed', from: (row) => row.used.ram },
  { name: 'totalCoresUsed', from: (row) => row.used.cores },
  { name: 'totalInstancesUsed', from: (row) => row.used.instances },
  { name: 'totalFloatingIpsUsed', until: UNTIL_NETWORK, from: () => 0 },
  { name: 'totalSecurityGroupsUsed', until: UNTIL_NETWORK, from: () => 0 },
  { name: 'totalServerGroupsUsed', from: (row) => row.used.server_groups ?? 0 },
]);
