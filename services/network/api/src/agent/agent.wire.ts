/** Agents on the wire. */
import type { Static } from 'typebox';
import { body } from '#libs/wire';
import type { Agent } from '#services/network/domain';
import { attributes, Flag, just, maybe, nullable, text } from '../values.wire.js';

const AgentChangeBody = attributes({ admin_state_up: maybe(Flag), description: nullable(text()) });
export type AgentChangeBody = Static<typeof AgentChangeBody>;
export const updateAgentBody = body(just('agent', AgentChangeBody));

const SHOWN = [
  'id',
  'agent_type',
  'binary',
  'topic',
  'host',
  'availability_zone',
  'description',
  'admin_state_up',
  'alive',
];
export const AGENT_FIELDS = {
  filters: SHOWN,
  sorts: [...SHOWN, 'created_at', 'started_at', 'heartbeat_timestamp'],
};

/** Clients read the times of agents in this form alone: `2026-01-31 12:00:00`. */
const time = (at: Date | null): string | null => (at === null ? null : at.toISOString().slice(0, 19).replace('T', ' '));

export const agentView = (agent: Agent): Record<string, unknown> => ({
  id: agent.id,
  agent_type: agent.isGateway ? 'OVN Controller Gateway agent' : 'OVN Controller agent',
  binary: 'ovn-controller',
  topic: 'n/a',
  host: agent.host,
  availability_zone: agent.zones.join(', '),
  description: agent.description,
  admin_state_up: agent.adminStateUp,
  alive: agent.alive,
  configurations: { chassis_name: agent.chassis, 'bridge-mappings': agent.bridgeMappings },
  created_at: time(agent.createdAt),
  started_at: time(agent.startedAt),
  heartbeat_timestamp: time(agent.heardAt),
  resources_synced: null,
});
