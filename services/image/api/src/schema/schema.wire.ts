/** The JSON schemas that clients fetch to learn the attributes of images and members. */
import {
  CONTAINER_FORMATS,
  DISK_FORMATS,
  DOCUMENTED_STATUSES,
  MEMBER_STATUSES,
  VISIBILITIES,
} from '#services/image/domain';

type Schema = Readonly<Record<string, unknown>>;

const text = (description: string, maxLength?: number): Schema => ({
  type: 'string',
  description,
  ...(maxLength ? { maxLength } : {}),
});
const optionalText = (description: string, maxLength: number): Schema => ({
  type: ['null', 'string'],
  description,
  maxLength,
});
const readOnly = (schema: Schema): Schema => ({ ...schema, readOnly: true });
const number = (description: string): Schema => ({ type: 'integer', description });
const flag = (description: string): Schema => ({ type: 'boolean', description });

const IMAGE_PROPERTIES = {
  id: {
    ...text('Identifier of the image'),
    pattern: '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$',
  },
  name: optionalText('Name for people', 255),
  status: readOnly({ ...text('State of the image'), enum: DOCUMENTED_STATUSES }),
  visibility: { ...text('Who may see the image'), enum: VISIBILITIES },
  protected: flag('Whether the image is safe from deletion'),
  os_hidden: flag('Whether the image is left out of lists unless asked for'),
  checksum: readOnly(optionalText('MD5 of the data', 32)),
  os_hash_algo: readOnly(optionalText('Algorithm of os_hash_value', 64)),
  os_hash_value: readOnly(optionalText('Hash of the data, in hex', 128)),
  owner: optionalText('Project that owns the image', 255),
  size: readOnly({ type: ['null', 'integer'], description: 'Bytes of data' }),
  virtual_size: readOnly({ type: ['null', 'integer'], description: 'Bytes as a disk' }),
  container_format: {
    type: ['null', 'string'],
    description: 'Format of the container',
    enum: [null, ...CONTAINER_FORMATS],
  },
  disk_format: { type: ['null', 'string'], description: 'Format of the disk', enum: [null, ...DISK_FORMATS] },
  created_at: readOnly(text('When the image was registered')),
  updated_at: readOnly(text('When the image was last changed')),
  tags: { type: 'array', description: 'Labels', items: { type: 'string', maxLength: 255 } },
  min_ram: number('Megabytes of memory that the image needs'),
  min_disk: number('Gigabytes of disk that the image needs'),
  self: readOnly(text('URL of the image')),
  file: readOnly(text('URL of the data')),
  schema: readOnly(text('URL of this schema')),
} as const;

const LINKS = [
  { rel: 'self', href: '{self}' },
  { rel: 'enclosure', href: '{file}' },
  { rel: 'describedby', href: '{schema}' },
];

const image: Schema = {
  name: 'image',
  properties: IMAGE_PROPERTIES,
  additionalProperties: { type: 'string' },
  links: LINKS,
};

const member: Schema = {
  name: 'member',
  properties: {
    created_at: readOnly(text('When the image was offered')),
    updated_at: readOnly(text('When the entry was last changed')),
    image_id: { ...text('The image'), pattern: IMAGE_PROPERTIES.id.pattern },
    member_id: text('The project it is shared with'),
    status: { ...text('What that project made of it'), enum: MEMBER_STATUSES },
    schema: readOnly(text('URL of this schema')),
  },
};

const collection = (name: string, item: Schema, links: readonly Schema[]): Schema => ({
  name,
  properties: {
    [name]: { type: 'array', items: item },
    first: text('The first page'),
    next: text('The next page'),
    schema: text('URL of this schema'),
  },
  links,
});

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  image,
  images: collection('images', image, [
    { rel: 'first', href: '{first}' },
    { rel: 'next', href: '{next}' },
    { rel: 'describedby', href: '{schema}' },
  ]),
  member,
  members: collection('members', member, [{ rel: 'describedby', href: '{schema}' }]),
};
