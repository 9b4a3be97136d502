import { op } from '#libs/platform/http';
import type { ImageTarget } from '../image/image.handlers.js';
import { ofImage } from '../image/image.ops.js';
import { RULES } from '../image/image.rules.js';
import { ImageFileHandlers } from './image-file.handlers.js';

export const imageFileOps = [
  op(ImageFileHandlers, {
    method: 'PUT',
    path: '/v2/images/:id/file',
    rule: RULES.uploadImage,
    status: 204,
    stream: true,
    ...ofImage<ImageFileHandlers>(),
    run: (handlers, call, image: ImageTarget) => handlers.upload(call, image),
  }),
  op(ImageFileHandlers, {
    method: 'GET',
    path: '/v2/images/:id/file',
    rule: RULES.downloadImage,
    status: 200,
    ...ofImage<ImageFileHandlers>(),
    run: (handlers, call, image: ImageTarget) => handlers.download(call, image),
  }),
];
