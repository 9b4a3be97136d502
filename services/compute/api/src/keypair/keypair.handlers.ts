import { generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Credentials } from '#libs/platform/policy';
import { type Keypair, rsaPublicLine, sshFingerprint, sshKeyTrouble } from '#services/compute/domain';
import { Books, Surroundings } from '../books.js';
import { selfSigned } from './certificate.js';

const RSA_BITS = 2_048;
const makeKeys = promisify(generateKeyPair);

export interface NewKeypair {
  readonly name: string;
  readonly type: 'ssh' | 'x509';
  readonly userId: string;
  readonly publicKey: string | undefined;
}

type Made = Pick<Keypair, 'publicKey' | 'fingerprint'> & { readonly privateKey: string | undefined };

@Injectable()
export class KeypairHandlers {
  constructor(
    private readonly books: Books,
    private readonly around: Surroundings,
  ) {}

  async create(who: Credentials, wanted: NewKeypair): Promise<Keypair & Pick<Made, 'privateKey'>> {
    const made =
      wanted.publicKey === undefined ? await this.#generate(wanted) : imported(wanted.type, wanted.publicKey);
    const { db, keypairs, quotas } = this.books;
    const limits = await quotas.limits(db, who.projectId ?? '', wanted.userId);
    const limit = (limits.user ?? limits.project).key_pairs;
    const { name, type, userId } = wanted;
    const { publicKey, fingerprint, privateKey } = made;
    const key = { name, type, userId, publicKey, fingerprint, createdAt: this.around.clock.now() };
    const row = await db.tx((tx) => keypairs.insert(tx, key, limit));
    return { ...row, privateKey };
  }

  async list(userId: string, marker: string | undefined, limit: number): Promise<Keypair[]> {
    if (marker !== undefined && !(await this.books.keypairs.find(this.books.db, userId, marker)))
      throw fail.invalid(`marker [${marker}] not found`);
    return this.books.keypairs.list(this.books.db, userId, marker, limit);
  }

  async find(userId: string, name: string): Promise<Keypair> {
    const key = await this.books.keypairs.find(this.books.db, userId, name);
    if (!key) throw missing(name, userId);
    return key;
  }

  async remove(userId: string, name: string): Promise<void> {
    if (!(await this.books.keypairs.remove(this.books.db, userId, name))) throw missing(name, userId);
  }

  /** Off the event loop: RSA keys take a while to find. */
  async #generate(wanted: NewKeypair): Promise<Made> {
    const keys = await makeKeys('rsa', { modulusLength: RSA_BITS });
    if (wanted.type === 'ssh') return sshPair(keys);
    const serial = Buffer.from(this.around.ids.hex(), 'hex');
    const publicKey = selfSigned(wanted.userId, keys, serial, this.around.clock.now());
    const privateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { publicKey, fingerprint: certificateFingerprint(publicKey), privateKey };
  }
}

const missing = (name: string, userId: string) => fail.notFound(`Keypair ${name} not found for user ${userId}`);

function sshPair(keys: { publicKey: KeyObject; privateKey: KeyObject }): Made {
  const { e = '', n = '' } = keys.publicKey.export({ format: 'jwk' });
  const exponent = Buffer.from(e, 'base64url');
  const publicKey = rsaPublicLine(exponent, Buffer.from(n, 'base64url'), 'Generated-by-Yagura');
  const privateKey = keys.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  return { publicKey, fingerprint: sshFingerprint(publicKey), privateKey };
}

/** A key of the tenant's own. Throws `invalid` where it is none. */
function imported(type: 'ssh' | 'x509', publicKey: string): Made {
  if (type === 'x509') {
    const fingerprint = certificateFingerprint(publicKey);
    return { publicKey, fingerprint, privateKey: undefined };
  }
  const trouble = sshKeyTrouble(publicKey);
  if (trouble) throw fail.invalid(`Keypair data is invalid: ${trouble}.`);
  return { publicKey, fingerprint: sshFingerprint(publicKey), privateKey: undefined };
}

/** SHA-1 in pairs, as Windows shows thumbprints. */
function certificateFingerprint(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint.toLowerCase();
  } catch (cause) {
    throw fail.invalid('Keypair data is invalid: it is not a certificate in PEM form.', { cause });
  }
}
