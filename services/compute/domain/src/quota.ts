/** Quota arithmetic. Limits are per project; -1 is without limit. Usage is kept for what servers use. */

/** Resources with Nova's names and their limits where nobody set another. */
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
