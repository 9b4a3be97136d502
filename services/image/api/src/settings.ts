/** What an operator may set for the image service. */
import { type Static, Type } from 'typebox';
import type { QuotaLimits } from '#services/image/domain';

const GiB = 2 ** 30;
const TiB = 2 ** 40;

/** `options` of the process's configuration file. Sizes in bytes; a negative quota is none. */
export const ImageOptions = Type.Object({
  /** Where nodes reach this service's HTTP port, such as `http://10.0.0.10:9292`. */
  imageBaseUrl: Type.String({ minLength: 1 }),
  /** Where the bytes lie; `store` in the process's state folder unless told. */
  storeDir: Type.Optional(Type.String()),
  /** Signs the URLs from which nodes fetch images. */
  urlSigningKey: Type.String({ minLength: 32 }),
  maxImageBytes: Type.Integer({ minimum: 1, default: TiB }),
  maxVirtualBytes: Type.Integer({ minimum: 1, default: 16 * TiB }),
  quotaImages: Type.Integer({ minimum: -1, default: 1_000 }),
  quotaBytes: Type.Integer({ minimum: -1, default: TiB }),
  diskReserveBytes: Type.Integer({ minimum: 0, default: GiB / 2 }),
  /** An upload that sends nothing for so long is given up. */
  uploadIdleMs: Type.Integer({ minimum: 100, default: 60_000 }),
});
export type ImageOptions = Static<typeof ImageOptions>;

/** The options as handlers are given them. */
export class ImageSettings {
  readonly limits: QuotaLimits;

  constructor(readonly options: ImageOptions) {
    this.limits = { images: options.quotaImages, bytes: options.quotaBytes };
  }
}
