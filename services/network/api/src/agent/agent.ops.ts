import { op } from '#libs/platform/http';
import type { Agent } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { AgentHandlers } from './agent.handlers.js';
import { updateAgentBody } from './agent.wire.js';

const path = '/v2.0/agents/:id';
const load = (handlers: AgentHandlers, call: AnyCall): Promise<Agent> => handlers.load(call);

export const agentOps = [
  op(AgentHandlers, {
    method: 'GET',
    path: '/v2.0/agents',
    rule: R.listAgents,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(AgentHandlers, {
    method: 'GET',
    path,
    rule: R.getAgent,
    status: 200,
    load,
    run: (handlers, call, agent) => handlers.show(call, agent),
  }),
  op(AgentHandlers, {
    method: 'PUT',
    path,
    rule: R.updateAgent,
    status: 200,
    body: updateAgentBody,
    load,
    run: (handlers, call, agent) => handlers.update(call, agent),
  }),
  op(AgentHandlers, {
    method: 'DELETE',
    path,
    rule: R.deleteAgent,
    status: 204,
    load,
    run: (handlers, _call, agent) => handlers.remove(agent),
  }),
];
