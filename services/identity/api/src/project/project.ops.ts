import { type Call, type Op, op } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import type { Query } from '../resource.js';
import { admin, adminOrOwner, reads, readsOrProject } from '../rules.js';
import { ProjectHandlers } from './project.handlers.js';
import {
  type ProjectCreate,
  type ProjectTags,
  type ProjectUpdate,
  projectCreate,
  projectTags,
  projectUpdate,
} from './project.wire.js';

const PROJECT = '/v3/projects/:project_id';

/** The project of the path, judged before it is looked up: whether it exists is only told to those who may see it. */
const own = {
  load: async (_handlers: ProjectHandlers, call: Call<unknown, unknown>): Promise<Target> => ({
    projectId: call.params['project_id'],
  }),
  shared: () => true,
};
const ownUser = {
  load: async (_handlers: ProjectHandlers, call: Call<unknown, unknown>): Promise<Target> => ({
    userId: call.params['user_id'],
  }),
  shared: () => true,
};

export const projectOps: readonly Op[] = [
  op<ProjectHandlers, undefined, Query>(ProjectHandlers, {
    method: 'GET',
    path: '/v3/projects',
    rule: reads('list_projects'),
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op<ProjectHandlers, ProjectCreate, Query>(ProjectHandlers, {
    method: 'POST',
    path: '/v3/projects',
    rule: admin('create_project'),
    status: 201,
    body: projectCreate,
    run: (handlers, call) => handlers.create(call),
  }),
  op<ProjectHandlers, undefined, Query, Target>(ProjectHandlers, {
    method: 'GET',
    path: PROJECT,
    rule: readsOrProject('get_project'),
    status: 200,
    ...own,
    run: (handlers, call) => handlers.show(call),
  }),
  op<ProjectHandlers, ProjectUpdate, Query>(ProjectHandlers, {
    method: 'PATCH',
    path: PROJECT,
    rule: admin('update_project'),
    status: 200,
    body: projectUpdate,
    run: (handlers, call) => handlers.update(call),
  }),
  op<ProjectHandlers, undefined, Query>(ProjectHandlers, {
    method: 'DELETE',
    path: PROJECT,
    rule: admin('delete_project'),
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
  op<ProjectHandlers, undefined, Query, Target>(ProjectHandlers, {
    method: 'GET',
    path: '/v3/users/:user_id/projects',
    rule: adminOrOwner('list_user_projects'),
    status: 200,
    ...ownUser,
    run: (handlers, call) => handlers.listOfUser(call),
  }),
  op<ProjectHandlers, undefined, Query, Target>(ProjectHandlers, {
    method: 'GET',
    path: `${PROJECT}/tags`,
    rule: readsOrProject('list_project_tags'),
    status: 200,
    ...own,
    run: (handlers, call) => handlers.listTags(call),
  }),
  op<ProjectHandlers, ProjectTags, Query>(ProjectHandlers, {
    method: 'PUT',
    path: `${PROJECT}/tags`,
    rule: admin('update_project_tags'),
    status: 200,
    body: projectTags,
    run: (handlers, call) => handlers.replaceTags(call),
  }),
  op<ProjectHandlers, undefined, Query>(ProjectHandlers, {
    method: 'DELETE',
    path: `${PROJECT}/tags`,
    rule: admin('delete_project_tags'),
    status: 204,
    run: (handlers, call) => handlers.removeTags(call),
  }),
  op<ProjectHandlers, undefined, Query, Target>(ProjectHandlers, {
    method: 'GET',
    path: `${PROJECT}/tags/:tag`,
    rule: readsOrProject('get_project_tag'),
    status: 204,
    ...own,
    run: (handlers, call) => handlers.checkTag(call),
  }),
  op<ProjectHandlers, undefined, Query>(ProjectHandlers, {
    method: 'PUT',
    path: `${PROJECT}/tags/:tag`,
    rule: admin('create_project_tag'),
    status: 201,
    run: (handlers, call) => handlers.addTag(call),
  }),
  op<ProjectHandlers, undefined, Query>(ProjectHandlers, {
    method: 'DELETE',
    path: `${PROJECT}/tags/:tag`,
    rule: admin('delete_project_tag'),
    status: 204,
    run: (handlers, call) => handlers.removeTag(call),
  }),
];
