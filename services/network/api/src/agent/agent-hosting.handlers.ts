/** What nodes do for networks and routers. */
import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { ROUTER_FIELDS } from '#services/network/data';
import { type Agent, agentsNow, gatewaysOf, type Network, type Router, zonesAt } from '#services/network/domain';
import { listBody, readList } from '../list.wire.js';
import { NetworkHandlers } from '../network/network.handlers.js';
import { NetworkParts } from '../parts.js';
import { loadRouter } from '../router/router.handlers.js';
import { routerView } from '../router/router.wire.js';
import type { AnyCall } from '../scope.js';
import { sift } from '../sift.js';
import { AgentHandlers } from './agent.handlers.js';
import { AGENT_FIELDS, agentView } from './agent.wire.js';

type View = (agent: Agent) => Record<string, unknown>;

@Injectable()
export class AgentHostingHandlers {
  private readonly agents: AgentHandlers;
  private readonly networks: NetworkHandlers;

  constructor(private readonly parts: NetworkParts) {
    this.agents = new AgentHandlers(parts);
    this.networks = new NetworkHandlers(parts);
  }

  router(call: AnyCall): Promise<Router> {
    return loadRouter(this.parts, call);
  }

  network(call: AnyCall): Promise<Network> {
    return this.networks.load(call);
  }

  agent(call: AnyCall): Promise<Agent> {
    return this.agents.load(call);
  }

  /** The nodes that a router's gateway may be on, and which of them it is on. */
  async agentsOfRouter(call: AnyCall, router: Router): Promise<Reply> {
    const { books } = this.parts;
    const network = router.gateway ? await books.networks.find(books.db, router.gateway.networkId) : undefined;
    const names = network ? gatewaysOf(router, this.parts.chassis(), network.physicalNetwork) : [];
    const state = (agent: Agent): string => (agent.chassis === router.gatewayHost ? 'active' : 'standby');
    return this.listed(
      call,
      (agent) => names.includes(agent.chassis),
      (agent) => ({ ...agentView(agent), ha_state: state(agent) }),
    );
  }

  /** The routers whose gateway is on the node now. */
  async routersOfAgent(call: AnyCall, { chassis }: Agent): Promise<Reply> {
    const { books } = this.parts;
    const request = readList(call.query, ROUTER_FIELDS);
    const zones = zonesAt(this.parts.chassis(), chassis);
    const show = (router: Router): Record<string, unknown> => routerView(router, zones, call);
    const page = sift(await books.routers.ofGatewayHost(books.db, chassis), show, request);
    return { body: listBody('routers', page, request, call, show) };
  }

  /** Each node answers the DHCP of its own guests, whatever their network. */
  agentsOfNetwork(call: AnyCall): Promise<Reply> {
    return this.listed(call, () => true, agentView);
  }

  private async listed(call: AnyCall, hosts: (agent: Agent) => boolean, show: View): Promise<Reply> {
    const { agents, db } = this.parts.books;
    const request = readList(call.query, AGENT_FIELDS);
    const all = agentsNow(await agents.list(db), this.parts.chassis(), this.parts.now());
    const page = sift(all.filter(hosts), show, request);
    return { body: listBody('agents', page, request, call, show) };
  }
}
