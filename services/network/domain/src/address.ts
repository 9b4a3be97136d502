/**
 * IP addresses and prefixes as numbers. Parsing is strict: dotted quads without leading zeros, IPv6 without zones,
 * so that no text means one address here and another one elsewhere. Output is canonical (RFC 5952).
 */
export type IpVersion = 4 | 6;

export interface IpAddress {
  readonly version: IpVersion;
  readonly value: bigint;
}

/** A network prefix; `first` has its host bits zero. */
export interface Prefix {
  readonly version: IpVersion;
  readonly first: bigint;
  readonly length: number;
}

export const bitsOf = (version: IpVersion): number => (version === 4 ? 32 : 128);

function parseV4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = value * 256n + BigInt(part);
  }
  return value;
}

/** The 16-bit groups of one side of `::`; a dotted quad may end the whole address. */
function groups(text: string, isEnd: boolean): number[] | null {
  if (text === '') return [];
  const found: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const quad = isEnd && index === parts.length - 1 ? parseV4(part) : null;
      if (quad === null) return null;
      found.push(Number(quad >> 16n), Number(quad & 0xffffn));
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      found.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return found;
}

function parseV6(text: string): bigint | null {
  const sides = text.split('::');
  if (sides.length > 2) return null;
  const head = groups(sides[0] ?? '', sides.length === 1);
  const tail = groups(sides[1] ?? '', true);
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 1) return null;
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return all.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** The address, or null where the text is none. */
export function parseIp(text: string): IpAddress | null {
  if (text.length > 45) return null;
  const version: IpVersion = text.includes(':') ? 6 : 4;
  const value = version === 4 ? parseV4(text) : parseV6(text);
  return value === null ? null : { version, value };
}

function formatV6(value: bigint): string {
  const parts = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && parts[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const hex = (list: number[]): string => list.map((part) => part.toString(16)).join(':');
  if (best.start < 0) return hex(parts);
  return `${hex(parts.slice(0, best.start))}::${hex(parts.slice(best.start + best.length))}`;
}

/** Canonical text of an address. */
export function formatIp(version: IpVersion, value: bigint): string {
  if (version === 6) return formatV6(value);
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

/** Canonical text of the address in the text, or null. */
export function canonicalIp(text: string): string | null {
  const ip = parseIp(text);
  return ip && formatIp(ip.version, ip.value);
}

/** The prefix of `ADDRESS/LENGTH`, host bits cleared, or null. A bare address is none. */
export function parsePrefix(text: string): Prefix | null {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const ip = parseIp(match?.[1] ?? '');
  const length = Number(match?.[2]);
  if (ip === null || length > bitsOf(ip.version)) return null;
  const host = BigInt(bitsOf(ip.version) - length);
  return { version: ip.version, first: (ip.value >> host) << host, length };
}

export const formatPrefix = (prefix: Prefix): string => `${formatIp(prefix.version, prefix.first)}/${prefix.length}`;

/** The highest address of a prefix. */
export const lastOf = (prefix: Prefix): bigint =>
  prefix.first + (1n << BigInt(bitsOf(prefix.version) - prefix.length)) - 1n;

export const contains = (prefix: Prefix, ip: IpAddress): boolean =>
  ip.version === prefix.version && ip.value >= prefix.first && ip.value <= lastOf(prefix);

export const overlap = (a: Prefix, b: Prefix): boolean =>
  a.version === b.version && a.first <= lastOf(b) && b.first <= lastOf(a);

const inPrefix = (ip: IpAddress, text: string): boolean => {
  const prefix = parsePrefix(text);
  return prefix !== null && contains(prefix, ip);
};

export const isMulticast = (ip: IpAddress): boolean => inPrefix(ip, ip.version === 4 ? '224.0.0.0/4' : 'ff00::/8');
export const isLoopback = (ip: IpAddress): boolean => inPrefix(ip, ip.version === 4 ? '127.0.0.0/8' : '::1/128');
export const isLinkLocal = (ip: IpAddress): boolean => inPrefix(ip, ip.version === 4 ? '169.254.0.0/16' : 'fe80::/10');
