/** Images by way of compute: up to 2.35, their metadata up to 2.38. The image service decides who may do what. */
import { fail } from '#libs/kernel';
import { type Call, type Op, op } from '#libs/platform/http';
import { everyone, rule } from '#libs/platform/policy';
import { linksToNext, pageSize } from '../paging.wire.js';
import { ImageHandlers } from './image.handlers.js';
import { briefImage, foreignQuery, imagesQuery, metaBody, metadataBody, metadataOf, shownImage } from './image.wire.js';

/** As whoever has a token; the rest is asked of the image service. */
const OPEN = rule('os_compute_api:images', everyone);
const UNTIL = { until: '2.35', rule: OPEN } as const;
const METADATA_UNTIL = { until: '2.38', rule: OPEN } as const;

type AnyCall = Pick<Call<unknown, unknown>, 'params'>;
const id = (call: AnyCall): string => call.params['id'] ?? '';
const key = (call: AnyCall): string => call.params['key'] ?? '';

const texts = (metadata: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, String(value)]));

const lists: readonly Op[] = (['', '/detail'] as const).map((suffix) =>
  op(ImageHandlers, {
    method: 'GET',
    path: `/v2.1/images${suffix}`,
    ...UNTIL,
    status: 200,
    query: imagesQuery,
    run: async (handlers, call) => {
      const limit = pageSize(call.query.limit?.at(-1));
      const { images, more } = await handlers.list(call, foreignQuery(call.query as never, limit));
      const render = suffix ? shownImage : briefImage;
      const links = linksToNext(call, 'images', { page: images, more }, (image) => image.id);
      return { body: { images: images.map((image) => render(image, call)), ...links } };
    },
  }),
);

const single: readonly Op[] = [
  op(ImageHandlers, {
    method: 'GET',
    path: '/v2.1/images/:id',
    ...UNTIL,
    status: 200,
    run: async (handlers, call) => ({ body: { image: shownImage(await handlers.find(call, id(call)), call) } }),
  }),
  op(ImageHandlers, {
    method: 'DELETE',
    path: '/v2.1/images/:id',
    ...UNTIL,
    status: 204,
    run: async (handlers, call) => {
      await handlers.remove(call, id(call));
      return {};
    },
  }),
];

const path = '/v2.1/images/:id/metadata';

const metadata: readonly Op[] = [
  op(ImageHandlers, {
    method: 'GET',
    path,
    ...METADATA_UNTIL,
    status: 200,
    run: async (handlers, call) => ({ body: { metadata: metadataOf(await handlers.find(call, id(call))) } }),
  }),
  op(ImageHandlers, {
    method: 'POST',
    path,
    ...METADATA_UNTIL,
    status: 200,
    body: metadataBody,
    run: async (handlers, call) => {
      const image = await handlers.find(call, id(call));
      const wanted = { ...texts(metadataOf(image)), ...call.body.metadata };
      await handlers.setMetadata(call, image, wanted);
      return { body: { metadata: wanted } };
    },
  }),
  op(ImageHandlers, {
    method: 'PUT',
    path,
    ...METADATA_UNTIL,
    status: 200,
    body: metadataBody,
    run: async (handlers, call) => {
      const image = await handlers.find(call, id(call));
      await handlers.setMetadata(call, image, call.body.metadata);
      return { body: { metadata: call.body.metadata } };
    },
  }),
];

const item: readonly Op[] = [
  op(ImageHandlers, {
    method: 'GET',
    path: `${path}/:key`,
    ...METADATA_UNTIL,
    status: 200,
    run: async (handlers, call) => {
      const found = metadataOf(await handlers.find(call, id(call)));
      if (!Object.hasOwn(found, key(call))) throw fail.notFound('The resource could not be found.');
      return { body: { meta: { [key(call)]: found[key(call)] } } };
    },
  }),
  op(ImageHandlers, {
    method: 'PUT',
    path: `${path}/:key`,
    ...METADATA_UNTIL,
    status: 200,
    body: metaBody,
    run: async (handlers, call) => {
      const value = Object.hasOwn(call.body.meta, key(call)) ? call.body.meta[key(call)] : undefined;
      if (value === undefined) throw fail.invalid('Request body and URI mismatch');
      const image = await handlers.find(call, id(call));
      await handlers.setMetadata(call, image, { ...texts(metadataOf(image)), [key(call)]: value });
      return { body: { meta: call.body.meta } };
    },
  }),
  op(ImageHandlers, {
    method: 'DELETE',
    path: `${path}/:key`,
    ...METADATA_UNTIL,
    status: 204,
    run: async (handlers, call) => {
      const image = await handlers.find(call, id(call));
      const { [key(call)]: gone, ...rest } = metadataOf(image);
      if (gone === undefined) throw fail.notFound('Invalid metadata key');
      await handlers.setMetadata(call, image, texts(rest));
      return {};
    },
  }),
];

export const imageOps: readonly Op[] = [...lists, ...single, ...metadata, ...item];
