/**
 * The signatures by which tools recognize a disk image format. Bytes that carry the signature of one format never pass
 * as another: whoever probes them later would read a header that the uploader wrote.
 *
 * Sources: the probe functions of QEMU's block drivers and the published format descriptions.
 */
import type { Source } from './source.js';

interface Signature {
  readonly format: string;
  readonly found: (source: Source, head: Buffer) => boolean;
}

const HEAD = 4096;
const ISO_AT = 0x8001;

const startsWith =
  (...bytes: readonly number[]) =>
  (_source: Source, head: Buffer): boolean =>
    head.length >= bytes.length && bytes.every((byte, index) => head[index] === byte);
const startsWithText =
  (...texts: readonly string[]) =>
  (_source: Source, head: Buffer): boolean =>
    texts.some((text) => head.subarray(0, text.length).toString('latin1') === text);
const textAt = (source: Source, offset: number, text: string): boolean =>
  offset >= 0 && source.read(offset, text.length).toString('latin1') === text;

/** A VMDK descriptor is text: comments and blank lines, then `version=`. */
function isVmdkDescriptor(head: Buffer): boolean {
  const text = head.toString('latin1');
  if (text.includes('# Disk DescriptorFile')) return true;
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    return /^version\s*=\s*\d/i.test(trimmed);
  }
  return false;
}

export const SIGNATURES: readonly Signature[] = [
  { format: 'qcow2', found: startsWith(0x51, 0x46, 0x49, 0xfb) },
  { format: 'qed', found: startsWith(0x51, 0x45, 0x44, 0x00) },
  { format: 'vmdk', found: (source, head) => startsWithText('KDMV', 'COWD')(source, head) || isVmdkDescriptor(head) },
  { format: 'vdi', found: (_source, head) => head.length >= 68 && head.readUInt32LE(64) === 0xbeda107f },
  { format: 'vhdx', found: startsWithText('vhdxfile') },
  {
    format: 'vhd',
    found: (source, head) => startsWithText('conectix')(source, head) || textAt(source, source.size - 512, 'conectix'),
  },
  { format: 'luks', found: startsWith(0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe) },
  { format: 'parallels', found: startsWithText('WithoutFreeSpace', 'WithouFreSpacExt') },
  { format: 'bochs', found: startsWithText('Bochs Virtual HD Image') },
  { format: 'cloop', found: startsWithText('#!/bin/sh\n#V2.0 Format\nmodprobe cloop') },
  { format: 'dmg', found: (source) => textAt(source, source.size - 512, 'koly') },
  { format: 'iso', found: (source) => textAt(source, ISO_AT, 'CD001') },
];

/** Every format whose signature the bytes carry. More than one is a polyglot. */
export function signaturesOf(source: Source): string[] {
  const head = source.read(0, HEAD);
  return SIGNATURES.filter((signature) => signature.found(source, head)).map((signature) => signature.format);
}
