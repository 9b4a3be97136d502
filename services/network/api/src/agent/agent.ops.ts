import { op } from '#libs/platform/http';
import type { Agent, Network, Router } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { AgentHandlers } from './agent.handlers.js';
import { updateAgentBody } from './agent.wire.js';
import { AgentHostingHandlers } from './agent-hosting.handlers.js';

const path = '/v2.0/agents/:id';
const load = (handlers: AgentHandlers, call: AnyCall): Promise<Agent> => handlers.load(call);

const loadRouter = (handlers: AgentHostingHandlers, call: AnyCall): Promise<Router> => handlers.router(call);
const loadNetwork = (handlers: AgentHostingHandlers, call: AnyCall): Promise<Network> => handlers.network(call);
const loadAgent = (handlers: AgentHostingHandlers, call: AnyCall): Promise<Agent> => handlers.agent(call);

/** Who does what is OVN's to decide: it is shown, and nobody is told to do something else. */
const hostingOps = [
  op(AgentHostingHandlers, {
    method: 'GET',
    path: '/v2.0/routers/:id/l3-agents',
    rule: R.getRouterAgents,
    status: 200,
    load: loadRouter,
    run: (handlers, call, router) => handlers.agentsOfRouter(call, router),
  }),
  op(AgentHostingHandlers, {
    method: 'GET',
    path: '/v2.0/agents/:id/l3-routers',
    rule: R.getAgentRouters,
    status: 200,
    load: loadAgent,
    run: (handlers, call, agent) => handlers.routersOfAgent(call, agent),
  }),
  op(AgentHostingHandlers, {
    method: 'GET',
    path: '/v2.0/networks/:id/dhcp-agents',
    rule: R.getNetworkAgents,
    status: 200,
    load: loadNetwork,
    run: (handlers, call) => handlers.agentsOfNetwork(call),
  }),
];

export const agentOps = [
  ...hostingOps,
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
