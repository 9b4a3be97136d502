/** Images as the API shows them: fixed attributes and custom properties side by side in one object. */
import { isoSeconds } from '#libs/wire';
import type { Image } from '#services/image/domain';

/** Custom properties come first, so that none can stand in for an attribute. */
export function imageBody(image: Image): Record<string, unknown> {
  const self = `/v2/images/${image.id}`;
  return {
    ...image.properties,
    name: image.name,
    disk_format: image.diskFormat,
    container_format: image.containerFormat,
    visibility: image.visibility,
    size: image.size,
    virtual_size: image.virtualSize,
    status: image.status,
    checksum: image.checksum,
    protected: image.protected,
    min_ram: image.minRam,
    min_disk: image.minDisk,
    owner: image.owner,
    os_hidden: image.hidden,
    os_hash_algo: image.hashAlgo,
    os_hash_value: image.hashValue,
    id: image.id,
    created_at: isoSeconds(image.createdAt),
    updated_at: isoSeconds(image.updatedAt),
    tags: image.tags,
    self,
    file: `${self}/file`,
    schema: '/v2/schemas/image',
  };
}

/** A page of images; links are paths, as clients of this API expect, and keep the request's own query. */
export function imagesBody(images: readonly Image[], url: string, more: boolean): Record<string, unknown> {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  query.delete('marker');
  const text = query.toString();
  const body: Record<string, unknown> = {
    images: images.map(imageBody),
    first: text ? `/v2/images?${text}` : '/v2/images',
    schema: '/v2/schemas/images',
  };
  const last = images.at(-1);
  if (more && last) {
    query.set('marker', last.id);
    body['next'] = `/v2/images?${query.toString()}`;
  }
  return body;
}
