/** Ethernet frames byte by byte, as a guest that means ill would send them. Pure; checksums are right unless told. */
import { isIPv6 } from 'node:net';

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';

const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number): Buffer => Buffer.concat([u16(value >>> 16), u16(value & 0xffff)]);

/** The address as its 4 or 16 bytes. */
export function ipBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const words = (text: string): string[] => (text ? text.split(':') : []);
  const [front, back] = [words(head), words(tail ?? '')];
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => '0');
  return Buffer.concat([...front, ...zeros, ...back].map((word) => u16(Number.parseInt(word, 16))));
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let n = 0; n < bytes.length; n += 2) sum += (bytes[n]! << 8) | (bytes[n + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** `body` with the checksum over the pseudo header put at `offset`. */
function summed(source: string, target: string, protocol: number, body: Buffer, offset: number): Buffer {
  const pseudo = Buffer.concat([ipBytes(source), ipBytes(target), u32(body.length), u32(protocol)]);
  const whole = Buffer.from(body);
  u16(checksum(Buffer.concat([pseudo, whole]))).copy(whole, offset);
  return whole;
}

/** EUI-64 link-local address of a MAC. */
export function linkLocal(mac: string): string {
  const [a, b, c, d, e, f] = macBytes(mac) as unknown as [number, number, number, number, number, number];
  const word = (high: number, low: number): string => ((high << 8) | low).toString(16);
  return `fe80::${word(a ^ 2, b)}:${word(c, 0xff)}:${word(0xfe, d)}:${word(e, f)}`;
}

export interface Ether {
  readonly from: string;
  readonly to: string;
}

export const ether = ({ from, to }: Ether, type: number, payload: Buffer): Buffer =>
  Buffer.concat([macBytes(to), macBytes(from), u16(type), payload]);

/** The frame with the tag of a VLAN. */
export const tagged = (vlan: number, frame: Buffer): Buffer =>
  Buffer.concat([frame.subarray(0, 12), u16(0x8100), u16(vlan), frame.subarray(12)]);

/** The VLAN whose tag a frame has; undefined for none. */
export const vlanOf = (frame: Buffer): number | undefined =>
  frame.readUInt16BE(12) === 0x8100 ? frame.readUInt16BE(14) & 0xfff : undefined;

export interface Arp {
  readonly operation: 'request' | 'reply';
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetMac?: string;
  readonly targetIp: string;
}

export function arp(link: Ether, { operation, senderMac, senderIp, targetMac = '00:00:00:00:00:00', targetIp }: Arp) {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, operation === 'request' ? 1 : 2]);
  const body = [macBytes(senderMac), ipBytes(senderIp), macBytes(targetMac), ipBytes(targetIp)];
  return ether(link, 0x0806, Buffer.concat([head, ...body]));
}

export interface Ip {
  readonly source: string;
  readonly target: string;
  readonly ttl?: number;
  /** Of IPv4: more fragments follow, and where this one starts, in eights of bytes. */
  readonly more?: boolean;
  readonly offset?: number;
}

const ICMP = 1;
const UDP = 17;
const ICMP6 = 58;

export function ip(link: Ether, header: Ip, protocol: number, payload: Buffer): Buffer {
  const { source, target, ttl = 64, more = false, offset = 0 } = header;
  if (isIPv6(source)) {
    const head = Buffer.concat([u32(0x60000000), u16(payload.length), Buffer.from([protocol, ttl])]);
    return ether(link, 0x86dd, Buffer.concat([head, ipBytes(source), ipBytes(target), payload]));
  }
  const flags = (more ? 0x2000 : 0) | offset;
  const fixed = Buffer.concat([
    Buffer.from([0x45, 0]),
    u16(20 + payload.length),
    u16(0x5947),
    u16(flags),
    Buffer.from([ttl, protocol]),
  ]);
  const head = Buffer.concat([fixed, u16(0), ipBytes(source), ipBytes(target)]);
  u16(checksum(head)).copy(head, 10);
  return ether(link, 0x0800, Buffer.concat([head, payload]));
}

export interface Ports {
  readonly from: number;
  readonly to: number;
}

/** A UDP datagram as IP carries it. */
export function udpDatagram(header: Ip, { from, to }: Ports, text: string): Buffer {
  const data = Buffer.from(text);
  const body = Buffer.concat([u16(from), u16(to), u16(8 + data.length), u16(0), data]);
  return summed(header.source, header.target, UDP, body, 6);
}

export const udp = (link: Ether, header: Ip, ports: Ports, text: string): Buffer =>
  ip(link, header, UDP, udpDatagram(header, ports, text));

/** An echo request. */
export function ping(link: Ether, header: Ip, text: string): Buffer {
  const six = isIPv6(header.source);
  const body = Buffer.concat([Buffer.from([six ? 128 : 8, 0, 0, 0, 0x59, 0x47, 0, 1]), Buffer.from(text)]);
  if (six) return ip(link, header, ICMP6, summed(header.source, header.target, ICMP6, body, 2));
  u16(checksum(body)).copy(body, 2);
  return ip(link, header, ICMP, body);
}

/** ICMPv6 of neighbour discovery: hop limit 255. */
function discovery(link: Ether, source: string, target: string, body: Buffer): Buffer {
  return ip(link, { source, target, ttl: 255 }, ICMP6, summed(source, target, ICMP6, body, 2));
}

/** A router advertisement that offers `prefix`/64 for addresses of one's own. */
export function routerAdvertisement(link: Ether, source: string, prefix: string): Buffer {
  const head = Buffer.from([134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
  const offer = Buffer.concat([Buffer.from([3, 4, 64, 0xc0]), u32(3600), u32(3600), u32(0), ipBytes(prefix)]);
  const sender = Buffer.concat([Buffer.from([1, 1]), macBytes(link.from)]);
  return discovery(link, source, 'ff02::1', Buffer.concat([head, offer, sender]));
}

/** "`owned` is at `mac`", unasked and overriding. */
export function neighbourAdvertisement(link: Ether, source: string, owned: string, mac: string): Buffer {
  const head = Buffer.from([136, 0, 0, 0, 0x20, 0, 0, 0]);
  const body = Buffer.concat([head, ipBytes(owned), Buffer.from([2, 1]), macBytes(mac)]);
  return discovery(link, source, 'ff02::1', body);
}

/** A DHCP offer of `address`, as a server that is none would make it. */
export function dhcpOffer(link: Ether, server: string, address: string, victimMac: string): Buffer {
  const fixed = Buffer.alloc(236);
  fixed.set([2, 1, 6, 0, 0x59, 0x47, 0, 1], 0);
  ipBytes(address).copy(fixed, 16);
  ipBytes(server).copy(fixed, 20);
  macBytes(victimMac).copy(fixed, 28);
  const options = Buffer.from([0x63, 0x82, 0x53, 0x63, 53, 1, 2, 54, 4, ...ipBytes(server), 255]);
  const text = Buffer.concat([fixed, options]).toString('latin1');
  const header = { source: server, target: '255.255.255.255' };
  const data = Buffer.from(text, 'latin1');
  const body = Buffer.concat([u16(67), u16(68), u16(8 + data.length), u16(0), data]);
  return ip(link, header, UDP, summed(header.source, header.target, UDP, body, 6));
}
