/** Secrets that must be given back are sealed with AES-256-GCM before they reach the database. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const NONCE = 12;
const TAG = 16;

export interface Sealed {
  readonly keyId: string;
  readonly bytes: Buffer;
}

export class Seal {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #current: string;

  /** `keys`: any secret text by key id; `current` names the one that seals. What a missing key sealed stays sealed. */
  constructor(keys: ReadonlyMap<string, string>, current: string) {
    this.#keys = new Map(
      [...keys].map(([id, secret]) => [
        id,
        Buffer.from(hkdfSync('sha256', secret, '', 'yagura identity credentials', 32)),
      ]),
    );
    if (!this.#keys.has(current)) throw new Error('the current sealing key is not among the keys');
    this.#current = current;
  }

  /** `owner` is bound in: what was sealed for one row opens for no other. */
  close(text: string, owner: string): Sealed {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.#keys.get(this.#current)!, nonce).setAAD(Buffer.from(owner));
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return { keyId: this.#current, bytes: Buffer.concat([nonce, cipher.getAuthTag(), body]) };
  }

  open({ keyId, bytes }: Sealed, owner: string): string {
    const key = this.#keys.get(keyId);
    if (!key) throw new Error(`the sealing key ${keyId} is not configured`);
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), { authTagLength: TAG });
    decipher.setAAD(Buffer.from(owner)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8');
  }
}
