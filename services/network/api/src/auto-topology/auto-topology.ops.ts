import { op } from '#libs/platform/http';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { AutoTopologyHandlers, type Project } from './auto-topology.handlers.js';

const load = (handlers: AutoTopologyHandlers, call: AnyCall): Promise<Project> => handlers.load(call);
/** Every project is known to exist. */
const shared = (): boolean => true;

export const autoTopologyOps = [
  op(AutoTopologyHandlers, {
    method: 'GET',
    path: '/v2.0/auto-allocated-topology/:id',
    rule: R.getAutoTopology,
    status: 200,
    load,
    shared,
    run: (handlers, call, project) => handlers.show(call, project),
  }),
  op(AutoTopologyHandlers, {
    method: 'DELETE',
    path: '/v2.0/auto-allocated-topology/:id',
    rule: R.deleteAutoTopology,
    status: 204,
    load,
    shared,
    run: (handlers, _call, project) => handlers.remove(project),
  }),
];
