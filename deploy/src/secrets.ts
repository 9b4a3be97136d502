/** Secrets are made once for each cloud, one file each, readable by root alone; nothing prints them. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Secrets {
  /** 192 random bits as URL-safe text, the same at each call for a name. */
  text(name: string): string;
  /** 32 random bytes as base64. */
  bytes(name: string): string;
  /** An Ed25519 private key, PKCS#8 PEM. */
  signingKey(name: string): string;
}

export function openSecrets(state: string): Secrets {
  const folder = join(state, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const once = (name: string, make: () => string): string => {
    const file = join(folder, name);
    if (!existsSync(file)) {
      writeFileSync(`${file}.new`, make(), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
    return readFileSync(file, 'utf8');
  };
  return {
    text: (name) => once(name, () => randomBytes(24).toString('base64url')),
    bytes: (name) => once(name, () => randomBytes(32).toString('base64')),
    signingKey: (name) =>
      once(name, () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
  };
}
