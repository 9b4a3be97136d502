/** The bytes of images, in and out. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { type ByteRange, ImageFiles, type StoredImage } from '#services/image/data';
import { type AnyCall, ImageHandlers, type ImageTarget } from '../image/image.handlers.js';
import { readRange } from './byte-range.js';
import { ImageUploads } from './image-upload.js';

const OCTETS = 'application/octet-stream';
/** How long a refused upload may go on sending, so that it gets to read why. */
const DRAIN_MS = 3_000;

@Injectable()
export class ImageFileHandlers {
  constructor(
    private readonly images: ImageHandlers,
    private readonly files: ImageFiles,
    private readonly uploads: ImageUploads,
  ) {}

  find(call: AnyCall): Promise<ImageTarget> {
    return this.images.find(call);
  }

  async upload(call: AnyCall, image: StoredImage): Promise<Reply> {
    const request = call.raw.raw;
    try {
      const type = String(call.headers['content-type'] ?? '')
        .split(';')[0]!
        .trim()
        .toLowerCase();
      if (type !== OCTETS) throw fail.unsupportedMedia(`Image data must be sent as ${OCTETS}.`);
      const stream = call.raw.body as Readable | undefined;
      if (typeof stream?.pipe !== 'function') throw fail.invalid('Image data is needed.');
      const length = call.headers['content-length'];
      await this.uploads.receive(image, stream, length === undefined ? undefined : Number(length));
      return {};
    } catch (error) {
      drain(request);
      throw error;
    }
  }

  async download(call: AnyCall, image: StoredImage): Promise<Reply> {
    if (image.status === 'deactivated' && !call.may('context_is_admin'))
      throw fail.forbidden('The requested image has been deactivated. Image data download is forbidden.');
    if (image.size === null || image.uploadId === null || image.status === 'saving') return { status: 204 };
    const headers: Record<string, string> = image.checksum ? { 'Content-MD5': image.checksum } : {};
    return sendBytes(this.files, image, call.raw, headers);
  }
}

/** The answer with an active image's bytes, whole or in part. */
export async function sendBytes(
  files: ImageFiles,
  image: { readonly id: string; readonly uploadId: string | null; readonly size: number | null },
  request: { readonly method: string; readonly headers: { readonly range?: string | undefined } },
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const size = image.size ?? 0;
  const file = { imageId: image.id, uploadId: image.uploadId ?? '' };
  if ((await files.sizeOf(file)) !== size) throw fail.unavailable('The image data is not available at the moment.');
  const range = readRange(request.headers.range, size);
  if (range === 'unsatisfiable') return { status: 416, headers: { 'Content-Range': `bytes */${size}` } };
  const common = { ...headers, 'Content-Type': OCTETS, 'Accept-Ranges': 'bytes' };
  const body = (part?: ByteRange) => (request.method === 'HEAD' ? {} : { body: files.read(file, part) });
  if (!range) return { headers: { ...common, 'Content-Length': String(size) }, ...body() };
  const { start, end } = range;
  const partial = { 'Content-Length': String(end - start + 1), 'Content-Range': `bytes ${start}-${end}/${size}` };
  return { status: 206, headers: { ...common, ...partial }, ...body(range) };
}

/** Lets a client that is still sending read its refusal, then hangs up. */
export function drain(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.resume();
  const timer = setTimeout(() => request.destroy(), DRAIN_MS);
  timer.unref();
  request.once('end', () => clearTimeout(timer));
  request.once('close', () => clearTimeout(timer));
}
