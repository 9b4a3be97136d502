/** What handlers are given: the books (database and repositories), the peers (other services), and the surroundings. */

import type { agentV1, imageV1, networkGroupsV1, networkV1 } from '#libs/contract';
import type { Clock, Ids } from '#libs/kernel';
import type { Db } from '#libs/platform/db';
import type { Remote } from '#libs/platform/grpc';
import {
  AggregateRepo,
  FlavorRepo,
  KeypairRepo,
  NodeRepo,
  QuotaRepo,
  type Seal,
  ServerGroupRepo,
  ServerNodeRepo,
  ServerPasswordRepo,
  ServerRepo,
} from '#services/compute/data';
import type { ForeignApi } from './foreign-api.js';

export class Books {
  readonly servers: ServerRepo;
  readonly passwords: ServerPasswordRepo;
  readonly flavors = new FlavorRepo();
  readonly keypairs = new KeypairRepo();
  readonly nodes = new NodeRepo();
  readonly quotas = new QuotaRepo();
  readonly groups = new ServerGroupRepo();
  readonly aggregates = new AggregateRepo();
  readonly aims = new ServerNodeRepo();

  constructor(
    readonly db: Db,
    seal: Seal,
  ) {
    this.servers = new ServerRepo(seal);
    this.passwords = new ServerPasswordRepo(seal);
  }
}

type Network = Remote<typeof networkV1.PortsService>;
type Groups = Remote<typeof networkGroupsV1.GroupsService>;
type Image = Remote<typeof imageV1.ImagesService>;
type Agent = Remote<typeof agentV1.NodeService>;

export class Peers {
  constructor(
    readonly network: Pick<Network, 'validate' | 'setServerGroups' | 'listForServers' | 'listFloatingIps'>,
    readonly groups: Pick<Groups, 'describe'>,
    readonly image: Pick<Image, 'describe' | 'register'>,
    /** The agent that answers for a node, at its `agentGrpc` address; its certificate carries the node's name. */
    readonly agentOf: (node: {
      readonly name: string;
      readonly agentGrpc: string;
    }) => Pick<Agent, 'consoleLog' | 'diagnostics'>,
    /** The public APIs of image and network, for what older clients still ask of compute. */
    readonly imageApi: ForeignApi,
    readonly networkApi: ForeignApi,
  ) {}
}

export class Surroundings {
  constructor(
    readonly clock: Clock,
    readonly ids: Ids,
    /** Where consoles are served, without a slash at the end. */
    readonly consoleBase: string,
    /** For so many milliseconds a change of a node waits until placement has heard of it. */
    readonly patienceMs = 0,
  ) {}
}
