/** Quota arithmetic. Limits are per project; -1 is without limit. Usage is kept for what servers use. */

/**
 * Resources with Nova's names and their limits where nobody set another. Those of the network bind nothing here: older
 * microversions show them, the network service keeps its own.
 */
export const QUOTA_DEFAULTS = {
  cores: 20,
  instances: 10,
  key_pairs: 100,
  metadata_items: 128,
  ram: 51_200,
  server_group_members: 10,
  server_groups: 10,
  injected_file_content_bytes: 10_240,
  injected_file_path_bytes: 255,
  injected_files: 5,
  fixed_ips: -1,
  floating_ips: 10,
  security_groups: 10,
  security_group_rules: 20,
} as const;
export type QuotaResource = keyof typeof QUOTA_DEFAULTS;
export const QUOTA_RESOURCES = Object.keys(QUOTA_DEFAULTS) as readonly QuotaResource[];

export const UNLIMITED = -1;

export type QuotaLimits = Readonly<Record<QuotaResource, number>>;

/** What servers use of a project's quota. */
export interface ServerUsage {
  readonly instances: number;
  readonly cores: number;
  readonly ram: number;
}

export const fits = (limit: number, wanted: number): boolean => limit === UNLIMITED || wanted <= limit;

/** Limits over the defaults: later ones win. */
export const limitsFrom = (...overrides: readonly Partial<QuotaLimits>[]): QuotaLimits =>
  Object.assign({ ...QUOTA_DEFAULTS }, ...overrides) as QuotaLimits;

/** What `count` servers of one flavor take. */
export const usageOf = (flavor: { readonly vcpus: number; readonly memoryMb: number }, count: number): ServerUsage => ({
  instances: count,
  cores: flavor.vcpus * count,
  ram: flavor.memoryMb * count,
});

const TRACKED = ['instances', 'cores', 'ram'] as const;

/** How many servers of that flavor still fit, at most `wanted`. */
export function headroom(
  limits: QuotaLimits,
  used: ServerUsage,
  flavor: { readonly vcpus: number; readonly memoryMb: number },
  wanted: number,
): number {
  const each = usageOf(flavor, 1);
  const room = TRACKED.filter((resource) => limits[resource] !== UNLIMITED && each[resource] > 0).map((resource) =>
    Math.floor((limits[resource] - used[resource]) / each[resource]),
  );
  return Math.max(0, Math.min(wanted, ...room));
}

/** The sentence of a refusal: which resources, what was asked, what is used, what the limits are. */
export function quotaRefusal(limits: QuotaLimits, used: ServerUsage, wanted: ServerUsage): string {
  const over = TRACKED.filter((resource) => !fits(limits[resource], used[resource] + wanted[resource]));
  const list = (value: (resource: (typeof TRACKED)[number]) => number): string => over.map(value).join(', ');
  return `Quota exceeded for ${over.join(', ')}: Requested ${list((r) => wanted[r])}, but already used ${list((r) => used[r])} of ${list((r) => limits[r])} ${over.join(', ')}`;
}
