/** Certificates of a test's own authority, for mutual TLS as between a cloud's processes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsFiles } from '#libs/platform/config';

export interface Certificates {
  /** Where they are; other files of the test may lie there too. */
  readonly folder: string;
  of(name: string): TlsFiles;
  /** Removes the folder and all in it. */
  remove(): void;
}

/** An authority, and a certificate for each name that is valid for that DNS name alone. */
export function makeCertificates(names: readonly string[]): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'yagura-test-'));
  const openssl = (...parameters: string[]) => execFileSync('openssl', parameters, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=test-ca', '-keyout', 'ca.key', '-out', 'ca.crt');
  for (const name of names) {
    openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=DNS:${name}\n`);
    const sign = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
    openssl('x509', '-req', '-in', `${name}.csr`, ...sign, '-out', `${name}.crt`);
  }
  return {
    folder,
    of: (name) => ({
      ca: join(folder, 'ca.crt'),
      cert: join(folder, `${name}.crt`),
      key: join(folder, `${name}.key`),
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
