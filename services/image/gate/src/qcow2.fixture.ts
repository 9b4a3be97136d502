/** Makes small qcow2 images byte by byte, sound or spoilt. */
export interface Spoilt {
  readonly version?: number;
  readonly virtualSize?: bigint;
  readonly clusterBits?: number;
  readonly backing?: string;
  readonly encryption?: number;
  readonly incompatible?: bigint;
  readonly refcountOrder?: number;
  readonly headerLength?: number;
  readonly l1Entries?: number;
  readonly l1Offset?: bigint;
  readonly l1Entry?: bigint;
  readonly refcountTableClusters?: number;
  readonly refcountTableOffset?: bigint;
  readonly snapshots?: number;
  /** [type, data] of header extensions. */
  readonly extensions?: readonly (readonly [number, string])[];
}

const CLUSTER = 65_536;

/** Header, refcount table, refcount block and L1 table, one cluster each: an empty disk. */
export function qcow2(spoilt: Spoilt = {}): Buffer {
  const image = Buffer.alloc(4 * CLUSTER);
  const version = spoilt.version ?? 3;
  image.write('QFI\xfb', 0, 'latin1');
  image.writeUInt32BE(version, 4);
  image.writeUInt32BE(spoilt.clusterBits ?? 16, 20);
  image.writeBigUInt64BE(spoilt.virtualSize ?? BigInt(100 << 20), 24);
  image.writeUInt32BE(spoilt.encryption ?? 0, 32);
  image.writeUInt32BE(spoilt.l1Entries ?? 1, 36);
  image.writeBigUInt64BE(spoilt.l1Offset ?? BigInt(3 * CLUSTER), 40);
  image.writeBigUInt64BE(spoilt.refcountTableOffset ?? BigInt(CLUSTER), 48);
  image.writeUInt32BE(spoilt.refcountTableClusters ?? 1, 56);
  image.writeUInt32BE(spoilt.snapshots ?? 0, 60);
  if (version === 3) {
    image.writeBigUInt64BE(spoilt.incompatible ?? 0n, 72);
    image.writeUInt32BE(spoilt.refcountOrder ?? 4, 96);
    image.writeUInt32BE(spoilt.headerLength ?? 112, 100);
  }
  let at = version === 3 ? (spoilt.headerLength ?? 112) : 72;
  for (const [type, data] of spoilt.extensions ?? []) {
    image.writeUInt32BE(type, at);
    image.writeUInt32BE(data.length, at + 4);
    image.write(data, at + 8, 'latin1');
    at += 8 + Math.ceil(data.length / 8) * 8;
  }
  if (spoilt.backing !== undefined) {
    image.writeBigUInt64BE(BigInt(at + 8), 8);
    image.writeUInt32BE(spoilt.backing.length, 16);
    image.write(spoilt.backing, at + 8, 'latin1');
  }
  image.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER);
  for (let n = 0; n < 4; n += 1) image.writeUInt16BE(1, 2 * CLUSTER + 2 * n);
  image.writeBigUInt64BE(spoilt.l1Entry ?? 0n, 3 * CLUSTER);
  return image;
}

/** `text` at `offset` of otherwise empty bytes. */
export function marked(offset: number, text: string, size = 1 << 17): Buffer {
  const image = Buffer.alloc(size, 0x5a);
  image.write(text, offset < 0 ? size + offset : offset, 'latin1');
  return image;
}

/** A raw disk with an MBR: a boot signature, and code that is nobody's magic. */
export function mbr(size = 1 << 17): Buffer {
  const image = Buffer.alloc(size);
  image.set([0xeb, 0x63, 0x90], 0);
  image.set([0x55, 0xaa], 510);
  return image;
}

/** Hostile images: name, declared format, bytes, and what the refusal says. */
export const HOSTILE: readonly (readonly [string, string, Buffer, RegExp])[] = [
  ['a backing file', 'qcow2', qcow2({ backing: '/etc/passwd' }), /backing file/],
  ['a backing file in version 2', 'qcow2', qcow2({ version: 2, backing: '/etc/shadow' }), /backing file/],
  [
    'a json: backing file',
    'qcow2',
    qcow2({ backing: 'json:{"driver":"file","filename":"/etc/shadow"}' }),
    /backing file/,
  ],
  ['a backing file over the network', 'qcow2', qcow2({ backing: 'nbd://127.0.0.1:10809/x' }), /backing file/],
  ['an external data file by its feature bit', 'qcow2', qcow2({ incompatible: 4n }), /data file/],
  [
    'an external data file by its extension',
    'qcow2',
    qcow2({ extensions: [[0x44415441, '/etc/shadow']] }),
    /data file/,
  ],
  [
    'a data file behind another extension',
    'qcow2',
    qcow2({
      extensions: [
        [0x6803f857, 'x'.repeat(48)],
        [0x44415441, '/etc/shadow'],
      ],
    }),
    /data file/,
  ],
  ['encryption', 'qcow2', qcow2({ encryption: 1 }), /encrypted/],
  ['encryption by LUKS', 'qcow2', qcow2({ encryption: 2 }), /encrypted/],
  ['unknown features', 'qcow2', qcow2({ incompatible: 1n << 5n }), /not known/],
  ['the corrupt mark', 'qcow2', qcow2({ incompatible: 2n }), /corrupt/],
  ['a huge L1 table', 'qcow2', qcow2({ l1Entries: 0xffffffff }), /L1 table that is too large/],
  ['an L1 table beyond the file', 'qcow2', qcow2({ l1Entries: 1 << 20 }), /truncated in its L1/],
  ['an L1 table far outside', 'qcow2', qcow2({ l1Offset: 1n << 62n }), /impossible L1/],
  ['an L1 entry outside the file', 'qcow2', qcow2({ l1Entry: 1n << 40n }), /points outside/],
  ['an L1 table too small for its disk', 'qcow2', qcow2({ virtualSize: 1n << 40n }), /too small/],
  ['a disk of an exabyte', 'qcow2', qcow2({ virtualSize: 1n << 60n }), /impossible virtual size/],
  ['a disk of 100 TiB', 'qcow2', qcow2({ virtualSize: 100n << 40n }), /more than/],
  ['no refcount table', 'qcow2', qcow2({ refcountTableClusters: 0 }), /no refcount/],
  ['a huge refcount table', 'qcow2', qcow2({ refcountTableClusters: 0xffffff }), /refcount table that is too large/],
  ['a refcount table outside', 'qcow2', qcow2({ refcountTableOffset: 1n << 32n }), /truncated in its refcount/],
  ['an impossible refcount width', 'qcow2', qcow2({ refcountOrder: 9 }), /refcount width/],
  ['an impossible cluster size', 'qcow2', qcow2({ clusterBits: 30 }), /cluster size/],
  ['an impossible header length', 'qcow2', qcow2({ headerLength: 96 }), /impossible length/],
  ['an unknown version', 'qcow2', qcow2({ version: 7 }), /version 7/],
  ['snapshots', 'qcow2', qcow2({ snapshots: 3 }), /snapshots/],
  ['a header and nothing else', 'qcow2', qcow2().subarray(0, 112), /truncated/],
  ['half a header', 'qcow2', qcow2().subarray(0, 40), /truncated/],
  ['four bytes', 'qcow2', qcow2().subarray(0, 4), /truncated/],
  ['raw bytes as qcow2', 'qcow2', mbr(), /does not have that format/],
  ['qcow2 as raw', 'raw', qcow2(), /signature of qcow2/],
  [
    'qcow2 with an MBR signature as raw',
    'raw',
    Buffer.from(qcow2()).fill(0x55, 510, 511).fill(0xaa, 511, 512),
    /signature of qcow2/,
  ],
  ['qcow2 as a kernel', 'aki', qcow2(), /signature of qcow2/],
  [
    'a VMDK descriptor as raw',
    'raw',
    Buffer.from('# Disk DescriptorFile\nversion=1\ncreateType="monolithicFlat"\nRW 2 FLAT "/etc/passwd" 0\n'),
    /signature of vmdk/,
  ],
  [
    'a bare VMDK descriptor as raw',
    'raw',
    Buffer.from('\n# hello\n\nversion = 1\nRW 2 FLAT "/etc/passwd" 0\n'),
    /signature of vmdk/,
  ],
  ['a sparse VMDK as raw', 'raw', marked(0, 'KDMV'), /signature of vmdk/],
  ['VMDK as vmdk', 'vmdk', marked(0, 'KDMV'), /not supported/],
  ['VDI as raw', 'raw', marked(64, '\x7f\x10\xda\xbe'), /signature of vdi/],
  ['VHDX as raw', 'raw', marked(0, 'vhdxfile'), /signature of vhdx/],
  ['dynamic VHD as raw', 'raw', marked(0, 'conectix'), /signature of vhd/],
  ['fixed VHD as raw', 'raw', marked(-512, 'conectix'), /signature of vhd/],
  ['LUKS as raw', 'raw', marked(0, 'LUKS\xba\xbe'), /signature of luks/],
  ['QED as raw', 'raw', marked(0, 'QED\0'), /signature of qed/],
  ['an ISO as raw', 'raw', marked(0x8001, 'CD001'), /signature of iso/],
  [
    'a qcow2 and ISO polyglot',
    'iso',
    Buffer.from(qcow2()).fill('CD001', 0x8001, 0x8006, 'latin1'),
    /signature of qcow2 and iso/,
  ],
  [
    'the same as qcow2',
    'qcow2',
    Buffer.from(qcow2()).fill('CD001', 0x8001, 0x8006, 'latin1'),
    /signature of qcow2 and iso/,
  ],
  ['nothing', 'raw', Buffer.alloc(0), /empty/],
];

/** Images that must pass. */
export const SOUND: readonly (readonly [string, string, Buffer, number])[] = [
  ['an empty qcow2', 'qcow2', qcow2(), 100 << 20],
  ['version 2', 'qcow2', qcow2({ version: 2 }), 100 << 20],
  ['a dirty qcow2', 'qcow2', qcow2({ incompatible: 1n }), 100 << 20],
  ['a feature name table', 'qcow2', qcow2({ extensions: [[0x6803f857, 'x'.repeat(96)]] }), 100 << 20],
  ['a raw disk with an MBR', 'raw', mbr(), 1 << 17],
  ['a raw disk of one byte', 'raw', Buffer.from('x'), 1],
  ['a kernel', 'aki', marked(0, 'MZ'), 1 << 17],
  ['an ISO', 'iso', marked(0x8001, 'CD001'), 1 << 17],
];
