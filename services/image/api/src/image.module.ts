/** The handlers with what they work on, as a Nest module. */
import type { DynamicModule } from '@nestjs/common';
import type { Ids } from '#libs/kernel';
import { BooksRepo, ImageFiles, ImageRepo, MemberRepo } from '#services/image/data';
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
  readonly books: BooksRepo;
  readonly files: ImageFiles;
  readonly receiver: ImageUploads;
  readonly settings: ImageSettings;
  readonly ids: Ids;
}

/** Every operation of the image API. */
export const imageApiOps = [...discoveryOps, ...imageOps, ...imageFileOps, ...memberOps, ...schemaOps];

class ImageModule {}

export function imageModule(parts: ImageApiParts): DynamicModule {
  return {
    module: ImageModule,
    providers: [
      { provide: ImageRepo, useValue: parts.images },
      { provide: MemberRepo, useValue: parts.members },
      { provide: BooksRepo, useValue: parts.books },
      { provide: ImageFiles, useValue: parts.files },
      { provide: ImageSettings, useValue: parts.settings },
      { provide: IdSource, useValue: new IdSource(parts.ids) },
      { provide: ImageUploads, useValue: parts.receiver },
      ImageHandlers,
      ImageFileHandlers,
      MemberHandlers,
      DiscoveryHandlers,
      SchemaHandlers,
    ],
  };
}
