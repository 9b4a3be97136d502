import { op } from '#libs/platform/http';
import type { Credentials } from '#libs/platform/policy';
import { seenByOthers } from '#services/image/domain';
import { type AnyCall, ImageHandlers, type ImageTarget } from './image.handlers.js';
import { RULES } from './image.rules.js';

/** A body whose rules are the domain's: it only has to be there. */
export const ANY_BODY = { check: (): undefined => undefined };

/** How every row finds its image, and who else may see it. */
export const ofImage = <H extends { find(call: AnyCall): Promise<ImageTarget> }>() => ({
  load: (handlers: H, call: AnyCall) => handlers.find(call),
  shared: (image: ImageTarget, _who: Credentials) => seenByOthers(image, image.isMember),
});

export const imageOps = [
  op(ImageHandlers, {
    method: 'POST',
    path: '/v2/images',
    rule: RULES.addImage,
    status: 201,
    body: ANY_BODY,
    run: (handlers, call) => handlers.create(call),
  }),
  op(ImageHandlers, {
    method: 'GET',
    path: '/v2/images',
    rule: RULES.getImages,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(ImageHandlers, {
    method: 'GET',
    path: '/v2/images/:id',
    rule: RULES.getImage,
    status: 200,
    ...ofImage<ImageHandlers>(),
    run: (handlers, _call, image: ImageTarget) => handlers.show(image),
  }),
  // No image is imported by a task here, so none has any.
  op(ImageHandlers, {
    method: 'GET',
    path: '/v2/images/:id/tasks',
    rule: RULES.getImage,
    status: 200,
    ...ofImage<ImageHandlers>(),
    run: () => ({ body: { tasks: [] } }),
  }),
  op(ImageHandlers, {
    method: 'PATCH',
    path: '/v2/images/:id',
    rule: RULES.modifyImage,
    status: 200,
    body: ANY_BODY,
    ...ofImage<ImageHandlers>(),
    run: (handlers, call, image: ImageTarget) => handlers.update(call, image),
  }),
  op(ImageHandlers, {
    method: 'DELETE',
    path: '/v2/images/:id',
    rule: RULES.deleteImage,
    status: 204,
    ...ofImage<ImageHandlers>(),
    run: (handlers, _call, image: ImageTarget) => handlers.delete(image),
  }),
  op(ImageHandlers, {
    method: 'POST',
    path: '/v2/images/:id/actions/deactivate',
    rule: RULES.deactivate,
    status: 204,
    ...ofImage<ImageHandlers>(),
    run: (handlers, _call, image: ImageTarget) => handlers.switch('deactivate', image),
  }),
  op(ImageHandlers, {
    method: 'POST',
    path: '/v2/images/:id/actions/reactivate',
    rule: RULES.reactivate,
    status: 204,
    ...ofImage<ImageHandlers>(),
    run: (handlers, _call, image: ImageTarget) => handlers.switch('reactivate', image),
  }),
  op(ImageHandlers, {
    method: 'PUT',
    path: '/v2/images/:id/tags/:tag',
    rule: RULES.modifyImage,
    status: 204,
    ...ofImage<ImageHandlers>(),
    run: (handlers, call, image: ImageTarget) => handlers.addTag(call, image),
  }),
  op(ImageHandlers, {
    method: 'DELETE',
    path: '/v2/images/:id/tags/:tag',
    rule: RULES.modifyImage,
    status: 204,
    ...ofImage<ImageHandlers>(),
    run: (handlers, call, image: ImageTarget) => handlers.removeTag(call, image),
  }),
];
