import type { Sql } from '#libs/platform/db';
import type { NodeStateRepo, ReportRepo, ServerNodeRepo, ServerRepo } from '#services/compute/data';
import type { Network, Placement } from '../peers.js';
import type { Pursuit } from './pursuit.js';

/** What the flows of servers work with. */
export interface FlowDeps {
  readonly db: Sql;
  readonly placement: Placement;
  readonly network: Network;
  readonly servers: ServerRepo;
  readonly aims: ServerNodeRepo;
  readonly nodes: NodeStateRepo;
  readonly reports: ReportRepo;
  readonly pursuit: Pursuit;
}
