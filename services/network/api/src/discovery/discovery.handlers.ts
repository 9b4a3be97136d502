import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { extensionNotFound } from '#services/network/domain';
import type { AnyCall } from '../scope.js';
import { extensionBody, extensionsBody, resourcesBody, versionsBody } from './discovery.wire.js';

@Injectable()
export class DiscoveryHandlers {
  versions(call: AnyCall): Reply {
    return { body: versionsBody(call.base) };
  }

  resources(call: AnyCall): Reply {
    return { body: resourcesBody(call.base) };
  }

  extensions(): Reply {
    return { body: extensionsBody() };
  }

  extension(call: AnyCall): Reply {
    const alias = call.params['id'] ?? '';
    const body = extensionBody(alias);
    if (!body) throw extensionNotFound(alias.slice(0, 100));
    return { body };
  }
}
