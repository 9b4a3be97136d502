/** The network of a project that asks for any. The path names the project; `None` is what some clients call their own. */
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { NetworkParts } from '../parts.js';
import type { AnyCall } from '../scope.js';

const DRY_RUN = 'dry-run';
const PROJECT = /^[\w.-]{1,64}$/;

export interface Project {
  readonly projectId: string;
}

const view = (id: string, projectId: string) => ({
  auto_allocated_topology: { id, tenant_id: projectId, project_id: projectId },
});

@Injectable()
export class AutoTopologyHandlers {
  constructor(private readonly parts: NetworkParts) {}

  /** The project in the path; what another has is refused by the rule. */
  load(call: AnyCall): Promise<Project> {
    const named = call.params['id'] ?? '';
    const projectId = named === 'None' ? call.who.projectId : named;
    if (projectId === undefined || !PROJECT.test(projectId))
      return Promise.reject(fail.invalid('This is no id of a project.', { type: 'BadRequest' }));
    return Promise.resolve({ projectId });
  }

  /** Tells of the network, after making it where there is none; a dry run only says whether that could be done. */
  async show(call: AnyCall, { projectId }: Project): Promise<Reply> {
    const { autoTopologyStore } = this.parts.books;
    const fields = [call.query['fields'] ?? []].flat();
    if (fields.includes(DRY_RUN)) {
      await autoTopologyStore.check();
      return { body: view('dry-run=pass', projectId) };
    }
    if (fields.length > 0) throw fail.invalid('Bad auto_allocate request: Unrecognized field.', { type: 'BadRequest' });
    const wish = { projectId, mtu: this.parts.settings.mtu };
    const { networkId } = await autoTopologyStore.get(wish, this.parts.now());
    return { body: view(networkId, projectId) };
  }

  async remove({ projectId }: Project): Promise<Reply> {
    await this.parts.books.autoTopologyStore.delete(projectId, this.parts.now());
    return {};
  }
}
