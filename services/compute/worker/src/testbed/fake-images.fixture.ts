/** The image service as far as the flows meet it: ids that go one way, from registered over active to discarded. */
import { imageV1 } from '#libs/contract';
import { fail } from '#libs/kernel';
import type { Images } from '../peers.js';

interface Kept {
  readonly request: imageV1.RegisterRequest;
  status: 'queued' | 'active' | 'discarded';
  /** How often bytes were taken in. */
  uploads: number;
}

export class FakeImages implements Images {
  readonly kept = new Map<string, Kept>();
  /** What was not registered here is not found either. */
  gone = false;
  /** Why no image can be registered. */
  refusal: Error | undefined;

  async locate({ imageId }: imageV1.LocateRequest): Promise<imageV1.Location> {
    const known = this.kept.get(imageId);
    if (!known && this.gone) throw fail.notFound('no such image');
    if (known && known.status !== 'active') throw fail.conflict(`image ${imageId} is ${known.status}`);
    return { url: `http://i/${imageId}`, sha256: '', size: 1, diskFormat: 'qcow2', expiresAtMs: 0 };
  }

  async register(request: imageV1.RegisterRequest): Promise<imageV1.Image> {
    if (this.refusal) throw this.refusal;
    const { imageId } = request;
    const known = this.kept.get(imageId) ?? { request, status: 'queued', uploads: 0 };
    if (known.status === 'discarded') throw fail.gone('it was discarded');
    this.kept.set(imageId, known);
    return imageV1.Image.fromPartial({ id: imageId, status: known.status });
  }

  async admit({ imageId }: imageV1.AdmitRequest): Promise<imageV1.Admission> {
    const status = this.statusOf(imageId);
    if (status === 'discarded' || status === undefined) throw fail.notFound('no such image');
    return { url: status === 'active' ? '' : `http://i/${imageId}`, expiresAtMs: 0 };
  }

  /** A node sends the bytes. */
  upload(url: string): void {
    const known = this.kept.get(url.split('/').at(-1) ?? '');
    if (!known || known.status === 'discarded') throw fail.gone('the image was deleted');
    if (known.status === 'active') return;
    known.status = 'active';
    known.uploads += 1;
  }

  async discard({ imageId, owner }: imageV1.DiscardRequest): Promise<object> {
    const request = imageV1.RegisterRequest.fromPartial({ imageId, owner });
    this.kept.set(imageId, { ...(this.kept.get(imageId) ?? { request, uploads: 0 }), status: 'discarded' });
    return {};
  }

  async rotate({ serverId, backupType, keep }: imageV1.RotateRequest): Promise<imageV1.RotateReply> {
    const backups = [...this.kept.values()].filter(
      ({ status, request: { properties } }) =>
        status !== 'discarded' &&
        properties['image_type'] === 'backup' &&
        properties['instance_uuid'] === serverId &&
        properties['backup_type'] === backupType,
    );
    const surplus = backups.slice(0, Math.max(0, backups.length - keep));
    for (const backup of surplus) backup.status = 'discarded';
    return { deletedIds: surplus.map(({ request }) => request.imageId) };
  }

  statusOf(imageId: string): Kept['status'] | undefined {
    return this.kept.get(imageId)?.status;
  }
}
