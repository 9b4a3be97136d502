/** The service catalog of a token: what is enabled, with the project's id filled into URLs that ask for it. */
import type { Endpoint, Service } from './model.js';

export interface CatalogEntry {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly endpoints: readonly {
    readonly id: string;
    readonly interface: string;
    readonly region_id: string | null;
    readonly region: string | null;
    readonly url: string;
  }[];
}

const PROJECT = /[$%]\((?:project_id|tenant_id)\)s/g;

export const isTemplate = (url: string): boolean => url.search(PROJECT) >= 0;

/** The catalog for a scope. Without a project, endpoints whose URL needs one are left out. */
export function catalogFor(
  services: readonly Service[],
  endpoints: readonly Endpoint[],
  projectId: string | undefined,
): readonly CatalogEntry[] {
  return services
    .filter((service) => service.enabled)
    .map((service) => ({
      id: service.id,
      type: service.type,
      name: service.name ?? '',
      endpoints: endpoints
        .filter((e) => e.serviceId === service.id && e.enabled && (projectId !== undefined || !isTemplate(e.url)))
        .map((e) => ({
          id: e.id,
          interface: e.interface,
          region_id: e.regionId ?? null,
          region: e.regionId ?? null,
          url: projectId === undefined ? e.url : e.url.replaceAll(PROJECT, () => projectId),
        })),
    }));
}
