/** What befell a guest without anybody's asking, in words for an operator. */
import { LIFECYCLE, type LifecycleEvent, STOPPED_DETAIL, SUSPENDED_DETAIL } from '../libvirt/protocol.js';

/** Undefined where a guest, its owner or somebody at the node may have wanted it so. */
export function incidentOf({ event, detail }: Pick<LifecycleEvent, 'event' | 'detail'>): string | undefined {
  if (event === LIFECYCLE.suspended && detail === SUSPENDED_DETAIL.ioError)
    return 'its disk could not be written or read: the guest stands still until the node has room again and it is resumed';
  if (event === LIFECYCLE.suspended && detail === SUSPENDED_DETAIL.watchdog) return 'its watchdog went off';
  if (event === LIFECYCLE.crashed) return 'the guest crashed';
  if (event === LIFECYCLE.stopped && detail === STOPPED_DETAIL.crashed) return 'its hypervisor process died';
  if (event === LIFECYCLE.stopped && detail === STOPPED_DETAIL.failed) return 'its hypervisor process failed';
  return undefined;
}
