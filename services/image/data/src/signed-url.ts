/**
 * The URLs from which a node fetches an image's bytes, and those to which it sends them: for one image, one node and a
 * short time, signed with a key that only this service has. One for reading never admits writing, nor the other way.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export type Access = 'read' | 'write';

export interface Grant {
  readonly access: Access;
  readonly imageId: string;
  readonly node: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

const PURPOSE: Readonly<Record<Access, string>> = { read: 'yagura-blob', write: 'yagura-blob-upload' };

export class SignedUrls {
  constructor(
    /** Where nodes reach this service, with no slash at its end. */
    private readonly base: string,
    private readonly key: string,
  ) {}

  private sign(grant: Grant): Buffer {
    const text = [PURPOSE[grant.access], grant.imageId, String(grant.expiresAtMs), grant.node].join('\n');
    return createHmac('sha256', this.key).update(text).digest();
  }

  url(grant: Grant): string {
    const query = new URLSearchParams({
      node: grant.node,
      exp: String(grant.expiresAtMs),
      sig: this.sign(grant).toString('base64url'),
    });
    return `${this.base}/blobs/${grant.imageId}?${query.toString()}`;
  }

  /** True when the signature is ours and the time has not run out. Constant time in the signature. */
  allows(grant: Grant, signature: string, nowMs: number): boolean {
    const given = Buffer.from(signature, 'base64url');
    const expected = this.sign(grant);
    const same = given.length === expected.length && timingSafeEqual(given, expected);
    return same && nowMs < grant.expiresAtMs;
  }
}
