/**
 * Public keys of SSH as tenants import them. The blob must be exactly what its type says, for it ends in the files of
 * guests: no line breaks, no options in front, nothing behind.
 */
import { createHash } from 'node:crypto';

const CURVES: Readonly<Record<string, readonly [name: string, pointBytes: number]>> = {
  'ecdsa-sha2-nistp256': ['nistp256', 65],
  'ecdsa-sha2-nistp384': ['nistp384', 97],
  'ecdsa-sha2-nistp521': ['nistp521', 133],
};
const RSA_BITS = { min: 1_024, max: 16_384 } as const;
const MAX_LENGTH = 16_384;

/** Why a key is refused, or undefined. */
export function sshKeyTrouble(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return 'it is too long';
  if (/\p{Cc}/u.test(text.trim())) return 'it must be one line';
  const [type = '', encoded = ''] = text.trim().split(/ +/, 2);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return 'it is not of the form "type base64 comment"';
  const blob = Buffer.from(encoded, 'base64');
  if (blob.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) return 'its base64 is damaged';
  const fields = fieldsOf(blob);
  if (!fields || fields[0]?.toString('latin1') !== type) return 'its parts do not fit its type';
  return fieldTrouble(type, fields);
}

/** The length-prefixed parts of a key's blob; undefined where they do not fill it exactly. */
function fieldsOf(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < blob.length) {
    if (at + 4 > blob.length) return undefined;
    const length = blob.readUInt32BE(at);
    if (at + 4 + length > blob.length) return undefined;
    fields.push(blob.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return fields;
}

function fieldTrouble(type: string, fields: readonly Buffer[]): string | undefined {
  if (type === 'ssh-ed25519') return fields.length === 2 && fields[1]?.length === 32 ? undefined : 'it is damaged';
  if (type === 'ssh-rsa') return rsaTrouble(fields);
  const curve = CURVES[type];
  if (!curve) return `keys of type ${type.slice(0, 40)} are not supported`;
  const [name, size] = curve;
  const fits = fields.length === 3 && fields[1]?.toString('latin1') === name;
  return fits && fields[2]?.length === size && fields[2][0] === 4 ? undefined : 'it is damaged';
}

function rsaTrouble(fields: readonly Buffer[]): string | undefined {
  const [, exponent, modulus] = fields;
  if (fields.length !== 3 || !exponent?.length || !modulus?.length) return 'it is damaged';
  const significant = modulus[0] === 0 ? modulus.subarray(1) : modulus;
  if (!significant.length || (modulus[0] ?? 0) > 127) return 'it is damaged';
  const bits = significant.length * 8 - Math.clz32(significant[0] ?? 0) + 24;
  return bits < RSA_BITS.min || bits > RSA_BITS.max ? `${bits} bits are not supported` : undefined;
}

/** As OpenSSH printed it before SHA-256: MD5 of the blob in pairs. `text` has passed `sshKeyTrouble`. */
export function sshFingerprint(text: string): string {
  const blob = Buffer.from(text.trim().split(/ +/, 2)[1] ?? '', 'base64');
  return pairs(createHash('md5').update(blob).digest('hex'));
}

/** `aabb` -> `aa:bb`. */
export const pairs = (hex: string): string => hex.match(/../g)?.join(':') ?? '';

/** The public key line of an RSA key: exponent and modulus as big-endian bytes without a sign. */
export function rsaPublicLine(exponent: Buffer, modulus: Buffer, comment: string): string {
  const parts = [Buffer.from('ssh-rsa'), unsigned(exponent), unsigned(modulus)].map((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return Buffer.concat([length, part]);
  });
  return `ssh-rsa ${Buffer.concat(parts).toString('base64')} ${comment}`;
}

/** A positive number as SSH and DER write it: a zero in front where the highest bit is set. */
export const unsigned = (bytes: Buffer): Buffer =>
  (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
