/** An image as other services are told of it. */
import type { imageV1 } from '#libs/contract';
import type { Image } from '#services/image/domain';

export const describeImage = (image: Image): imageV1.Image => ({
  id: image.id,
  name: image.name ?? '',
  status: image.status,
  diskFormat: image.diskFormat ?? '',
  containerFormat: image.containerFormat ?? '',
  size: image.size ?? 0,
  virtualSize: image.virtualSize ?? 0,
  minDiskGb: image.minDisk,
  minRamMb: image.minRam,
  sha256: image.sha256 ?? '',
  properties: { ...image.properties },
  owner: image.owner,
});
