/** What this API is and what it offers: versions, stores, import methods, quota usage. */
import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { BooksRepo } from '#services/image/data';
import type { AnyCall } from '../image/image.handlers.js';
import { ImageSettings } from '../settings.js';
import { usageBody, versionsBody } from './discovery.wire.js';

@Injectable()
export class DiscoveryHandlers {
  constructor(
    private readonly books: BooksRepo,
    private readonly settings: ImageSettings,
  ) {}

  versions(call: AnyCall): Reply {
    return { body: versionsBody(call.base) };
  }

  /** Uploads go to the image itself; there is no staging area to import from. */
  importMethods(): Reply {
    const description = 'Import methods available.';
    return { body: { 'import-methods': { description, type: 'array', value: [] } } };
  }

  stores(): Reply {
    return { body: { stores: [{ id: 'local', description: 'Files of the image service', default: 'true' }] } };
  }

  async usage(call: AnyCall): Promise<Reply> {
    const used = await this.books.usageOf(call.who.projectId ?? '');
    return { body: usageBody(used, this.settings.limits) };
  }
}
