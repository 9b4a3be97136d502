/**
 * Segments: what carries a network, as operators see it. A network has exactly one, which comes and goes with it, so none
 * is made or deleted by itself.
 */
import { type Failure, fail } from '#libs/kernel';
import { invalidInput } from './faults.js';
import type { Network, Standard } from './model.js';

export interface NetworkSegment extends Standard, Pick<Network, 'networkType' | 'physicalNetwork' | 'segmentationId'> {
  readonly id: string;
  /** Of nobody: only administrators see segments. */
  readonly projectId: '';
  readonly networkId: string;
  readonly name: string | null;
  readonly description: string | null;
}

export const segmentNotFound = (id: string): Failure =>
  fail.notFound(`Segment ${id} could not be found.`, { type: 'SegmentNotFound' });
export const segmentInUse = (id: string, reason: string): Failure =>
  fail.conflict(`Segment '${id}' cannot be deleted: ${reason}.`, { type: 'SegmentInUse' });
const refused = (type: string, message: string): Failure => fail.invalid(message, { type });

/** A network would have more than one. */
export const severalSegments = (): Failure =>
  invalidInput('networks of several segments are not available in this cloud.');

/** Throws unless the subnets of a network will all name its segment, or none of them. */
export function checkAssociated(networkId: string, segments: readonly (string | null)[]): void {
  if (new Set(segments).size > 1)
    throw refused(
      'SubnetsNotAllAssociatedWithSegments',
      `All of the subnets on network '${networkId}' must either all be associated with segments or all not associated with any segment.`,
    );
}

/** Throws where the segment is another network's. */
export function checkSegmentOf(networkId: string, segment: Pick<NetworkSegment, 'id' | 'networkId'>): void {
  if (segment.networkId !== networkId)
    throw refused(
      'NetworkIdsDontMatch',
      `The subnet's network id, '${networkId}', doesn't match the network_id of segment '${segment.id}'`,
    );
}

/** Throws where a subnet that names a segment would name another, or none. */
export function checkAssociationChange(subnetId: string, before: string | null, after: string | null): void {
  if (before !== null && before !== after)
    throw refused(
      'SubnetSegmentAssociationChangeNotAllowed',
      `Subnet ${subnetId} is already associated with a segment; its segment association cannot be changed.`,
    );
}
