/**
 * Brings books and nodes together where no operation is at work: guests that ended or began by themselves are noted,
 * guests that were lost with their node are started again, leftovers are cleared. It reads everything it needs, so the
 * same code serves a report, a node's return and the periodic scan.
 */
import { type Ids, isFailure, newRequestId, runInContext } from '#libs/kernel';
import type { Db, Tx } from '#libs/platform/db';
import { insertTask } from '#libs/platform/flow';
import type { Log } from '#libs/platform/log';
import type { ServerNodeRepo, ServerRepo, StandingRepo } from '#services/compute/data';
import { POWER, SERVER_START, type ServerStartInput, serverKey } from '#services/compute/domain';
import type { SendCommand } from '../peers.js';
import { decide, type Standing } from './decide.js';

interface Deps {
  readonly db: Db;
  readonly servers: ServerRepo;
  readonly aims: ServerNodeRepo;
  readonly standings: StandingRepo;
  readonly send: SendCommand;
  readonly ids: Ids;
  readonly now: () => Date;
  readonly log: Log;
}

const BECAME = { seenStopped: 'stopped', seenRunning: 'running', seenSuspended: 'suspended' } as const;

export class ServerReconciler {
  constructor(private readonly deps: Deps) {}

  /** One server, after its node has spoken of it. */
  async settle(serverId: string): Promise<void> {
    await this.#act(await this.deps.standings.ofServer(this.deps.db, serverId));
  }

  /** All servers of a node, after it has said everything. */
  async settleNode(node: string): Promise<void> {
    await this.#act(await this.deps.standings.differingOn(this.deps.db, node));
  }

  /** All servers on nodes that are up. */
  async scan(): Promise<void> {
    await this.#act(await this.deps.standings.differing(this.deps.db));
  }

  async #act(standings: readonly Standing[]): Promise<void> {
    for (const standing of standings) {
      const decision = decide(standing);
      if (decision === 'nothing') continue;
      const { serverId, node } = standing;
      this.deps.log.info({ server: serverId, node, decision }, 'a server is not as it should be');
      if (decision === 'clear') await this.#clear(standing);
      else if (decision === 'revive') await this.#revive(standing);
      else await this.#follow(standing, decision);
    }
  }

  async #clear({ serverId, node }: Standing): Promise<void> {
    const aim = await this.deps.aims.find(this.deps.db, serverId, node);
    if (!aim) return;
    const { fence, seq, generation } = aim;
    await this.deps.send(node, { type: 'ensure', serverId, fence, seq, generation }).catch(() => undefined);
  }

  async #follow({ serverId, node, power }: Standing, move: keyof typeof BECAME): Promise<void> {
    const { db, servers, aims, now } = this.deps;
    const became = BECAME[move];
    const powerState = power === 'crashed' ? POWER.crashed : POWER[became];
    await db.tx(async (tx) => {
      if (await servers.move(tx, serverId, move, now(), { powerState }))
        await aims.follow(tx, serverId, node, became, now());
    });
  }

  /** Under a request id of its own, so that the operator finds the reason. */
  async #revive({ serverId }: Standing): Promise<void> {
    const requestId = newRequestId();
    try {
      await runInContext({ requestId }, () => this.deps.db.tx((tx) => this.#insertStart(tx, serverId, requestId)));
    } catch (error) {
      if (!isFailure(error, 'conflict')) throw error;
    }
  }

  async #insertStart(tx: Tx, serverId: string, requestId: string): Promise<void> {
    const { servers, ids, now } = this.deps;
    const server = await servers.lock(tx, serverId);
    if (!server) return;
    const moved = await servers.move(tx, serverId, 'revive', now());
    if (!moved) return;
    const keepsState = server.vmState !== 'active';
    const input: ServerStartInput = { serverId, generation: moved.generation, keepsState };
    const { projectId } = server;
    await insertTask(tx, { id: ids.uuid(), kind: SERVER_START, key: serverKey(serverId), projectId, requestId, input });
  }
}
