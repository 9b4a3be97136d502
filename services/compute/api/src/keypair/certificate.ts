/**
 * A self-signed certificate for logging in to Windows guests, as keypairs of type x509 are: the user's name stands in it as
 * a user principal name, its only use is client authentication. Node has no encoder, so the few DER shapes stand here.
 */
import { type KeyObject, sign } from 'node:crypto';

const TEN_YEARS_MS = 10 * 365 * 86_400_000;

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
};

function lengthOf(length: number): Buffer {
  if (length < 128) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) bytes.unshift(rest & 255);
  return Buffer.from([128 | bytes.length, ...bytes]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text, 'utf8'));
const time = (at: Date): Buffer =>
  der(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`, 'latin1'));

/** `1.2.840` as DER. */
function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const septets = [arc & 127];
    for (let high = arc >> 7; high > 0; high >>= 7) septets.unshift((high & 127) | 128);
    bytes.push(...septets);
  }
  return der(0x06, Buffer.from(bytes));
}

const SHA256_RSA = sequence(oid('1.2.840.113549.1.1.11'), der(0x05));
const COMMON_NAME = '2.5.4.3';
const SUBJECT_ALT_NAME = '2.5.29.17';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const PRINCIPAL_NAME = '1.3.6.1.4.1.311.20.2.3';

const nameOf = (text: string): Buffer => sequence(der(0x31, sequence(oid(COMMON_NAME), utf8(text.slice(0, 64)))));

function extensions(user: string): Buffer {
  const principal = der(0xa0, oid(PRINCIPAL_NAME), der(0xa0, utf8(`${user}@localhost`)));
  return der(
    0xa3,
    sequence(
      sequence(oid(SUBJECT_ALT_NAME), der(0x04, sequence(principal))),
      sequence(oid(EXTENDED_KEY_USAGE), der(0x04, sequence(oid(CLIENT_AUTH)))),
    ),
  );
}

/** PEM of a certificate over an RSA key pair. `serial`: positive bytes. */
export function selfSigned(
  user: string,
  keys: { publicKey: KeyObject; privateKey: KeyObject },
  serial: Buffer,
  now: Date,
): string {
  const name = nameOf(user);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), serial])),
    SHA256_RSA,
    name,
    sequence(time(now), time(new Date(now.getTime() + TEN_YEARS_MS))),
    name,
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    extensions(user),
  );
  const signature = sign('sha256', body, keys.privateKey);
  const whole = sequence(body, SHA256_RSA, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
