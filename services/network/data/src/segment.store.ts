/** What operators do with segments, each as one transaction. */
import type { Db, Tx } from '#libs/platform/db';
import {
  checkAssociated,
  checkAssociationChange,
  checkSegmentOf,
  type NetworkSegment,
  type Subnet,
  segmentNotFound,
} from '#services/network/domain';
import { record } from './journal.js';
import { expectRevision } from './revision.js';
import type { SegmentChange, SegmentRepo } from './segment.repo.js';

type Associated = Pick<Subnet, 'id' | 'networkId' | 'segmentId'>;

export class SegmentStore {
  constructor(
    private readonly db: Db,
    private readonly segments: SegmentRepo,
  ) {}

  update(id: string, change: SegmentChange, now: Date, revision?: number): Promise<NetworkSegment> {
    return this.db.tx(async (tx) => {
      await expectRevision(tx, 'segment', id, revision);
      if (!(await this.segments.update(tx, id, change, now))) throw segmentNotFound(id);
      await record(tx, [{ resourceId: id, what: 'segment updated' }], now);
      return (await this.segments.find(tx, id))!;
    });
  }

  /** Throws where a subnet can not name the segment that it names now, within the transaction that writes it. */
  async check(tx: Tx, subnet: Associated, before: string | null): Promise<void> {
    const { id, networkId, segmentId } = subnet;
    checkAssociationChange(id, before, segmentId);
    checkAssociated(networkId, [segmentId, ...(await this.segments.associations(tx, networkId, id))]);
    if (segmentId === null) return;
    const segment = await this.segments.find(tx, segmentId);
    if (!segment) throw segmentNotFound(segmentId);
    checkSegmentOf(networkId, segment);
  }
}
