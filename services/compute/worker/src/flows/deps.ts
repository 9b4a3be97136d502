import type { Sql } from '#libs/platform/db';
import type {
  NodePulseRepo,
  NodeRepo,
  NodeStateRepo,
  ReportRepo,
  ServerGroupRepo,
  ServerNodeRepo,
  ServerRepo,
} from '#services/compute/data';
import type { AgentOf, Images, Network, Placement } from '../peers.js';
import type { Pursuit } from './pursuit.js';

/** What the flows of servers work with. */
export interface FlowDeps {
  readonly db: Sql;
  readonly placement: Placement;
  readonly network: Network;
  readonly images: Images;
  readonly servers: ServerRepo;
  readonly groups: ServerGroupRepo;
  readonly aims: ServerNodeRepo;
  readonly nodes: NodeStateRepo;
  readonly nodeBook: Pick<NodeRepo, 'find'>;
  readonly agentOf: AgentOf<'holdImage'>;
  readonly pulses: NodePulseRepo;
  readonly reports: ReportRepo;
  readonly pursuit: Pursuit;
  /** Seconds for which a shelved server stays on its node; below 0: until it is taken off by hand. */
  readonly shelvedOffloadS: number;
}
