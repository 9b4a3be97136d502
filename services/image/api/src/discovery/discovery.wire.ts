import type { Usage } from '#services/image/data';
import type { QuotaLimits } from '#services/image/domain';

/** Newest first. 2.9 is the last version of which everything but the optional import is here. */
const MINORS = [9, 7, 6, 5, 4, 3, 2, 1, 0] as const;

export const versionsBody = (base: string): Record<string, unknown> => ({
  versions: MINORS.map((minor, index) => ({
    id: `v2.${minor}`,
    status: index === 0 ? 'CURRENT' : 'SUPPORTED',
    links: [{ rel: 'self', href: `${base}/v2/` }],
  })),
});

const MEBI = 2 ** 20;

/** Sizes in MiB, as upstream's limits are; -1 for no limit. */
export const usageBody = (used: Usage, limits: QuotaLimits): Record<string, unknown> => ({
  usage: {
    image_size_total: {
      limit: limits.bytes < 0 ? -1 : Math.floor(limits.bytes / MEBI),
      usage: Math.ceil(used.bytes / MEBI),
    },
    image_count_total: { limit: limits.images, usage: used.images },
  },
});
