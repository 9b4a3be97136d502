/** Flavors on the wire. */
import { type Static, Type } from 'typebox';
import { fail } from '#libs/kernel';
import { body, during, type Field, type ViewContext, view } from '#libs/wire';
import type { Flavor, NewFlavor } from '#services/compute/domain';
import { Limit, looseQuery, Marker, One } from '../paging.wire.js';
import { Name, Truth, truth, Whole, whole } from '../values.wire.js';

export const flavorLinks = (base: string, id: string) => [
  { rel: 'self', href: `${base}/v2.1/flavors/${encodeURIComponent(id)}` },
  { rel: 'bookmark', href: `${base}/flavors/${encodeURIComponent(id)}` },
];

const Description = Type.Optional(
  Type.Union([Type.String({ maxLength: 65_535 }), Type.Null()], during({ since: '2.55' })),
);

const NewFlavorBody = Type.Object(
  {
    flavor: Type.Object(
      {
        name: Name,
        id: Type.Optional(
          Type.Union([
            Type.String({ minLength: 1, maxLength: 255, pattern: '^(?! )[a-zA-Z0-9. _-]+(?<! )$' }),
            Type.Number(),
            Type.Null(),
          ]),
        ),
        ram: Whole,
        vcpus: Whole,
        disk: Whole,
        'OS-FLV-EXT-DATA:ephemeral': Type.Optional(Whole),
        swap: Type.Optional(Whole),
        rxtx_factor: Type.Optional(
          Type.Unsafe<number | string>({ type: ['number', 'string'], pattern: '^[0-9]+(\\.[0-9]+)?$', maxLength: 20 }),
        ),
        'os-flavor-access:is_public': Type.Optional(Truth),
        description: Description,
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export const newFlavorBody = body(NewFlavorBody);

/** The flavor that a body asks for. `freshId` is taken where it names none. */
export function newFlavor({ flavor }: Static<typeof NewFlavorBody>, freshId: string): NewFlavor {
  const rxtxFactor = Number(flavor.rxtx_factor ?? 1);
  if (!(rxtxFactor > 0)) throw fail.invalid('Invalid input for field/attribute rxtx_factor. It must be above 0.');
  return {
    id: flavor.id === undefined || flavor.id === null ? freshId : String(flavor.id),
    name: flavor.name,
    vcpus: whole(flavor.vcpus, 'vcpus', 1),
    memoryMb: whole(flavor.ram, 'ram', 1),
    diskGb: whole(flavor.disk, 'disk', 0),
    ephemeralGb: whole(flavor['OS-FLV-EXT-DATA:ephemeral'] ?? 0, 'OS-FLV-EXT-DATA:ephemeral', 0),
    swapMb: whole(flavor.swap ?? 0, 'swap', 0),
    rxtxFactor,
    isPublic: truth(flavor['os-flavor-access:is_public'] ?? true),
    disabled: false,
    description: flavor.description ?? null,
    extraSpecs: {},
  };
}

export const describeFlavorBody = body(
  Type.Object(
    {
      flavor: Type.Object(
        { description: Type.Union([Type.String({ maxLength: 65_535 }), Type.Null()]) },
        { additionalProperties: false },
      ),
    },
    { additionalProperties: false },
  ),
);

export const flavorQuery = looseQuery({
  limit: Limit,
  marker: Marker,
  is_public: One,
  minRam: One,
  minDisk: One,
  sort_key: One,
  sort_dir: One,
});

const SPECS = 'os_compute_api:os-flavor-extra-specs:index';

const briefFields: readonly Field<Flavor>[] = [
  { name: 'id', from: (f) => f.id },
  { name: 'name', from: (f) => f.name },
  { name: 'links', from: (f, { base }) => flavorLinks(base, f.id) },
  { name: 'description', since: '2.55', from: (f) => f.description },
];

export const briefFlavor = view<Flavor>(briefFields);

export const flavorView = view<Flavor>([
  ...briefFields,
  { name: 'ram', from: (f) => f.memoryMb },
  { name: 'disk', from: (f) => f.diskGb },
  { name: 'swap', until: '2.74', from: (f) => f.swapMb || '' },
  { name: 'swap', since: '2.75', from: (f) => f.swapMb },
  { name: 'OS-FLV-EXT-DATA:ephemeral', from: (f) => f.ephemeralGb },
  { name: 'OS-FLV-DISABLED:disabled', from: (f) => f.disabled },
  { name: 'vcpus', from: (f) => f.vcpus },
  { name: 'os-flavor-access:is_public', from: (f) => f.isPublic },
  { name: 'rxtx_factor', from: (f) => f.rxtxFactor },
  { name: 'extra_specs', since: '2.61', rule: SPECS, from: (f) => f.extraSpecs },
]);

/** `may` of a flavor asks about the caller alone: flavors have no owner. */
export const ownerless = (context: ViewContext): ViewContext => ({
  version: context.version,
  base: context.base,
  may: (rule) => context.may(rule, undefined),
});

export const accessBody = (action: 'addTenantAccess' | 'removeTenantAccess') =>
  body(
    Type.Object(
      {
        [action]: Type.Object(
          { tenant: Type.String({ minLength: 1, maxLength: 255 }) },
          { additionalProperties: false },
        ),
      },
      { additionalProperties: false },
    ),
  );

export const accessView = (id: string, projects: readonly string[]) => ({
  flavor_access: projects.map((project) => ({ flavor_id: id, tenant_id: project })),
});

const SpecValue = Type.Unsafe<string | number>({ type: ['string', 'number'], maxLength: 255 });
const Specs = Type.Record(Type.String({ pattern: '^[a-zA-Z0-9-_:. ]{1,255}$' }), SpecValue, {
  additionalProperties: false,
});
export const specsBody = body(Type.Object({ extra_specs: Specs }, { additionalProperties: false }));
export const specBody = body(
  Type.Record(Type.String({ pattern: '^[a-zA-Z0-9-_:. ]{1,255}$' }), SpecValue, {
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
  }),
);
export const specTexts = (specs: Readonly<Record<string, string | number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(specs).map(([key, value]) => [key, String(value)]));
