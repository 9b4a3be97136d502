/** A node introduces itself: its row, its queue, its place in placement. The id that it was given first stays its own. */
import type { computeV1 } from '#libs/contract';
import { fail, isUuid } from '#libs/kernel';
import { type Db, isUnique } from '#libs/platform/db';
import type { NodeRepo } from '#services/compute/data';
import { DEFAULT_ZONE, type NodeEnrolment } from '#services/compute/domain';
import type { SendCommand } from '../peers.js';
import { dedicatedCpusOf } from './inventory.js';
import type { NodeWatch } from './node-watch.js';

interface Deps {
  readonly db: Db;
  readonly nodes: NodeRepo;
  readonly watch: NodeWatch;
  /** Declares the node's queue; rejects while the bus is away. */
  readonly declare: (node: string) => Promise<void>;
  readonly send: SendCommand;
  readonly heartbeatMs: number;
  readonly now: () => Date;
}

export class Enrolment {
  constructor(private readonly deps: Deps) {}

  async enrol(node: string, request: computeV1.EnrolRequest): Promise<computeV1.EnrolReply> {
    const { db, nodes, watch, declare, send, heartbeatMs, now } = this.deps;
    if (!isUuid(request.hypervisorId)) throw fail.invalid('hypervisor_id must be a UUID');
    // One that sets all of its processors aside has none to share.
    const cpus = request.vcpus + dedicatedCpusOf({ cpuInfo: objectIn(request.cpuInfo) });
    if (cpus < 1 || request.memoryMb < 1) throw fail.invalid('a node needs processors and memory');
    const known = await nodes.find(db, node);
    const hypervisorId = known?.hypervisorId ?? request.hypervisorId.toLowerCase();
    try {
      await nodes.enrol(db, enrolmentOf(node, hypervisorId, request), now());
    } catch (error) {
      if (isUnique(error, 'node_hypervisor_id_key')) throw fail.conflict('another node bears this hypervisor_id');
      throw error;
    }
    await declare(node);
    await watch.enrolled(node);
    await send(node, { type: 'report' }).catch(() => undefined);
    return { hypervisorId, heartbeatMs };
  }
}

const TRAIT = /^[A-Z0-9_]{1,255}$/;

const enrolmentOf = (name: string, hypervisorId: string, r: computeV1.EnrolRequest): NodeEnrolment => ({
  name,
  hypervisorId,
  hypervisorType: r.hypervisorType || 'QEMU',
  hypervisorVersion: r.hypervisorVersion,
  accel: r.accel,
  accelReason: r.accelReason,
  vcpus: r.vcpus,
  memoryMb: r.memoryMb,
  diskGb: r.diskGb,
  address: r.address,
  agentGrpc: r.agentGrpc,
  agentVersion: r.agentVersion,
  availabilityZone: r.availabilityZone || DEFAULT_ZONE,
  cpuInfo: objectIn(r.cpuInfo),
  traits: r.traits.filter((trait) => TRAIT.test(trait)),
});

/** JSON of a node, as far as it is an object. */
function objectIn(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json || '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
