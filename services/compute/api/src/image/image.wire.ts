/** Images as compute showed them before they had a service of their own. */
import { type Static, Type } from 'typebox';
import { body, query, type ViewContext, view } from '#libs/wire';
import { last } from '../paging.wire.js';
import { Metadata } from '../values.wire.js';

/** An image as the image service answers it: attributes and custom properties side by side. */
export type ForeignImage = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  readonly size: number | null;
  readonly min_ram: number;
  readonly min_disk: number;
  readonly created_at: string;
  readonly updated_at: string;
};

const ATTRIBUTES: ReadonlySet<string> = new Set(
  [
    'checksum container_format created_at direct_url disk_format file id locations min_disk min_ram name os_hash_algo',
    'os_hash_value os_hidden owner protected schema self size status stores tags updated_at virtual_size visibility',
  ]
    .join(' ')
    .split(' '),
);

/** Custom properties alone: what compute calls metadata. */
export const metadataOf = (image: ForeignImage): Record<string, unknown> =>
  Object.fromEntries(Object.entries(image).filter(([name]) => !ATTRIBUTES.has(name)));

const STATUS: Readonly<Record<string, string>> = {
  active: 'ACTIVE',
  queued: 'SAVING',
  saving: 'SAVING',
  uploading: 'SAVING',
  importing: 'SAVING',
  deleted: 'DELETED',
  pending_delete: 'DELETED',
  killed: 'ERROR',
};
const PROGRESS: Readonly<Record<string, number>> = { queued: 25, saving: 50, active: 100 };

const selfAndBookmark = (base: string, plural: string, id: string) => [
  { rel: 'self', href: `${base}/v2.1/${plural}/${id}` },
  { rel: 'bookmark', href: `${base}/${plural}/${id}` },
];
const linksOf = ({ id }: ForeignImage, { base }: ViewContext) => [
  ...selfAndBookmark(base, 'images', id),
  {
    rel: 'alternate',
    type: 'application/vnd.openstack.image',
    href: `${base.replace(/\/compute$/, '/image')}/images/${id}`,
  },
];

/** The server of which it is a snapshot. */
function serverOf(image: ForeignImage, { base }: ViewContext): unknown {
  const id = image['instance_uuid'];
  return typeof id === 'string' ? { id, links: selfAndBookmark(base, 'servers', id) } : undefined;
}

export const briefImage = view<ForeignImage>([
  { name: 'id', from: (image) => image.id },
  { name: 'name', from: (image) => image.name },
  { name: 'links', from: linksOf },
]);

export const shownImage = view<ForeignImage>([
  { name: 'id', from: (image) => image.id },
  { name: 'name', from: (image) => image.name },
  { name: 'minRam', from: (image) => image.min_ram },
  { name: 'minDisk', from: (image) => image.min_disk },
  { name: 'metadata', from: metadataOf },
  { name: 'created', from: (image) => image.created_at },
  { name: 'updated', from: (image) => image.updated_at },
  { name: 'status', from: (image) => STATUS[image.status] ?? 'UNKNOWN' },
  { name: 'progress', from: (image) => PROGRESS[image.status] ?? 0 },
  { name: 'OS-EXT-IMG-SIZE:size', from: (image) => image.size ?? 0 },
  { name: 'server', from: serverOf },
  { name: 'links', from: linksOf },
]);

const positive = Type.Optional(Type.Array(Type.Integer({ minimum: 1 })));
const ImagesQuery = Type.Object({ limit: positive, page_size: positive, offset: positive });
export const imagesQuery = query(ImagesQuery);
export type ImagesQuery = Static<typeof ImagesQuery>;

/** Parameters by which images are filtered, with the image service's own names. */
const FILTERS: Readonly<Record<string, string>> = {
  name: 'name',
  server: 'instance_uuid',
  type: 'image_type',
  minRam: 'min_ram',
  minDisk: 'min_disk',
  marker: 'marker',
};
const PROPERTY = 'property-';

type Words = Readonly<Record<string, string | readonly string[] | number[] | undefined>>;

/** What the image service is asked for; other parameters are dropped. */
export function foreignQuery(given: Words, limit: number): Record<string, string | number> {
  const asked: Record<string, string | number> = { limit };
  for (const [name, raw] of Object.entries(given)) {
    const value = last(([raw ?? []].flat() as (string | number)[]).map(String));
    if (value === undefined) continue;
    if (name === 'status') asked['status'] = value.toLowerCase();
    else if (name === 'changes-since') asked['updated_at'] = `gte:${value}`;
    else if (name === 'server') asked['instance_uuid'] = value.split('/').at(-1) ?? value;
    else if (Object.hasOwn(FILTERS, name)) asked[FILTERS[name]!] = value;
    else if (name.startsWith(PROPERTY)) asked[name.slice(PROPERTY.length)] = value;
  }
  return asked;
}

const shut = { additionalProperties: false } as const;
export const metadataBody = body(Type.Object({ metadata: Metadata }, shut));
export const metaBody = body(Type.Object({ meta: Metadata }, shut));

interface Change {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: string;
}
const pointer = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** What turns some custom properties into others, as the image service is told it. Attributes can not be reached by it. */
export function changesTo(
  present: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, string>>,
): Change[] {
  const gone = Object.keys(present).filter((name) => !Object.hasOwn(wanted, name));
  const set = Object.entries(wanted).filter(([name, value]) => present[name] !== value);
  return [
    ...gone.map((name): Change => ({ op: 'remove', path: pointer(name) })),
    ...set.map(([name, value]): Change => {
      const op = Object.hasOwn(present, name) ? 'replace' : 'add';
      return { op, path: pointer(name), value };
    }),
  ];
}

export const isAttribute = (name: string): boolean => ATTRIBUTES.has(name);
