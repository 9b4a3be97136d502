import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
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
    const alias = (call.params['id'] ?? '').replace(/\.json$/, '');
    const body = extensionBody(alias);
    if (!body) throw extensionNotFound(alias.slice(0, 100));
    return { body };
  }

  /** There are no zones of networks: every network is everywhere. */
  zones(): Reply {
    return { body: { availability_zones: [] } };
  }

  /** OVN's controllers are no agents that could be scheduled to. */
  agents(): Reply {
    return { body: { agents: [] } };
  }

  agent(call: AnyCall): never {
    throw fail.notFound(`Agent ${(call.params['id'] ?? '').slice(0, 100)} could not be found.`, {
      type: 'AgentNotFound',
    });
  }
}
