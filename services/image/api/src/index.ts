export { refuseEmptyIds } from './image/empty-id.route.js';
export { FURTHER_RULES } from './image/image.rules.js';
export * from './image.module.js';
export { addBlobRoute, type BlobParts } from './image-file/blob.route.js';
export { addBlobUploadRoute } from './image-file/blob-upload.route.js';
export { ImageUploads } from './image-file/image-upload.js';
export { ImageOptions, ImageSettings } from './settings.js';
