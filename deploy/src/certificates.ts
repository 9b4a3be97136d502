/**
 * The cloud's own certificate authority and one certificate per process, whose common name is what the others know it
 * by. A certificate is made again when its addresses change or its end is near.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';

const CA_DAYS = '3650';
const LEAF_DAYS = '1825';
const RENEW_BEFORE_MS = 60 * 86_400_000;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export class Authority {
  readonly ca: string;
  #key: string;

  constructor(readonly folder: string) {
    this.ca = join(folder, 'ca.crt');
    this.#key = join(folder, 'ca.key');
  }

  async open(id: string): Promise<void> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    if (existsSync(this.ca) && existsSync(this.#key)) return;
    await newKey(`${this.#key}.new`);
    await run([
      'openssl',
      'req',
      '-x509',
      '-new',
      '-key',
      `${this.#key}.new`,
      '-days',
      CA_DAYS,
      '-subj',
      `/CN=yagura-${id}`,
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      '-addext',
      'keyUsage=critical,keyCertSign,cRLSign',
      '-out',
      `${this.ca}.new`,
    ]);
    renameSync(`${this.#key}.new`, this.#key);
    renameSync(`${this.ca}.new`, this.ca);
  }

  /** The certificate of a process: CN = name, valid for the names and addresses given. */
  async issue(name: string, addresses: readonly string[], nowMs: number): Promise<Certificate> {
    const files = { cert: join(this.folder, `${name}.crt`), key: join(this.folder, `${name}.key`) };
    const sans = [`DNS:${name}`, 'DNS:localhost', ...[...new Set(['127.0.0.1', ...addresses])].map((a) => `IP:${a}`)];
    if (this.#current(files, sans, nowMs)) return files;
    const request = `${files.cert}.csr`;
    const extensions = `${files.cert}.ext`;
    await newKey(`${files.key}.new`);
    await run(['openssl', 'req', '-new', '-key', `${files.key}.new`, '-subj', `/CN=${name}`, '-out', request]);
    writeFileSync(
      extensions,
      [
        `subjectAltName=${sans.join(',')}`,
        'basicConstraints=critical,CA:FALSE',
        'keyUsage=critical,digitalSignature',
        'extendedKeyUsage=serverAuth,clientAuth',
        '',
      ].join('\n'),
    );
    await run([
      'openssl',
      'x509',
      '-req',
      '-in',
      request,
      '-CA',
      this.ca,
      '-CAkey',
      this.#key,
      '-days',
      LEAF_DAYS,
      '-extfile',
      extensions,
      '-out',
      `${files.cert}.new`,
    ]);
    renameSync(`${files.key}.new`, files.key);
    renameSync(`${files.cert}.new`, files.cert);
    for (const file of [request, extensions]) rmSync(file);
    return files;
  }

  #current(files: Certificate, sans: readonly string[], nowMs: number): boolean {
    if (!existsSync(files.cert) || !existsSync(files.key)) return false;
    const certificate = new X509Certificate(readFileSync(files.cert));
    const has = new Set((certificate.subjectAltName ?? '').split(', ').map((san) => san.replace('IP Address:', 'IP:')));
    return (
      has.size === sans.length &&
      sans.every((san) => has.has(san)) &&
      certificate.validToDate.getTime() - nowMs > RENEW_BEFORE_MS
    );
  }
}

const newKey = (file: string): Promise<string> =>
  run(['sh', '-c', 'umask 077; exec openssl ecparam -name prime256v1 -genkey -noout -out "$1"', 'sh', file]);
