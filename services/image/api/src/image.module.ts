/** The handlers with what they work on, as a Nest module. */
import type { DynamicModule } from '@nestjs/common';
import type { Ids } from '#libs/kernel';
import type { Log } from '#libs/platform/log';
import { BooksRepo, type Gate, ImageFiles, ImageRepo, MemberRepo, type UploadRepo } from '#services/image/data';
import { DiscoveryHandlers } from './discovery/discovery.handlers.js';
import { discoveryOps } from './discovery/discovery.ops.js';
import { IdSource, ImageHandlers } from './image/image.handlers.js';
import { imageOps } from './image/image.ops.js';
import { ImageFileHandlers } from './image-file/image-file.handlers.js';
import { imageFileOps } from './image-file/image-file.ops.js';
import { ImageUploads } from './image-file/image-upload.js';
import { MemberHandlers } from './member/member.handlers.js';
import { memberOps } from './member/member.ops.js';
import { SchemaHandlers, schemaOps } from './schema/schema.ops.js';
import { ImageSettings } from './settings.js';

export interface ImageApiParts {
  readonly images: ImageRepo;
  readonly members: MemberRepo;
  readonly uploads: UploadRepo;
  readonly books: BooksRepo;
  readonly files: ImageFiles;
  readonly gate: Gate;
  readonly settings: ImageSettings;
  readonly ids: Ids;
  readonly log: Log;
}

/** Every operation of the image API. */
export const imageApiOps = [...discoveryOps, ...imageOps, ...imageFileOps, ...memberOps, ...schemaOps];

class ImageModule {}

export function imageModule(parts: ImageApiParts): DynamicModule {
  const { limits, options } = parts.settings;
  const uploads = new ImageUploads(parts, {
    quota: limits,
    maxBytes: options.maxImageBytes,
    idleMs: options.uploadIdleMs,
  });
  return {
    module: ImageModule,
    providers: [
      { provide: ImageRepo, useValue: parts.images },
      { provide: MemberRepo, useValue: parts.members },
      { provide: BooksRepo, useValue: parts.books },
      { provide: ImageFiles, useValue: parts.files },
      { provide: ImageSettings, useValue: parts.settings },
      { provide: IdSource, useValue: new IdSource(parts.ids) },
      { provide: ImageUploads, useValue: uploads },
      ImageHandlers,
      ImageFileHandlers,
      MemberHandlers,
      DiscoveryHandlers,
      SchemaHandlers,
    ],
  };
}
