/**
 * A qcow2 header, read from its published description. Accepted is a self-contained image that QEMU opens without
 * touching another file: no backing file, no external data file, no encryption, and tables that lie inside the file.
 */
import { Refusal, type Source, type Verdict } from './source.js';

const V2_HEADER = 72;
const V3_HEADER = 104;
const MAX_L1_BYTES = 32 << 20;
const MAX_REFCOUNT_TABLE_BYTES = 8 << 20;
const MAX_EXTENSIONS = 64;
const BLOCK = 1 << 16;

const INCOMPATIBLE = { dirty: 1n, corrupt: 2n, dataFile: 4n, compression: 8n, extendedL2: 16n } as const;
const KNOWN_INCOMPATIBLE = 31n;
const EXTENSION = { end: 0, dataFile: 0x44415441, encryption: 0x0537be77 } as const;
/** Bits 9 to 55 of a table entry: where the cluster lies. */
const OFFSET_MASK = 0x00fffffffffffe00n;

interface Header {
  readonly version: number;
  readonly backingOffset: bigint;
  readonly backingLength: number;
  readonly clusterBits: number;
  readonly virtualSize: number;
  readonly encryption: number;
  readonly l1Entries: number;
  readonly l1Offset: number;
  readonly refcountTableOffset: number;
  readonly refcountTableClusters: number;
  readonly snapshots: number;
  readonly snapshotsOffset: number;
  readonly incompatible: bigint;
  readonly refcountOrder: number;
  readonly headerLength: number;
}

const refuse = (what: string): Refusal => new Refusal(`The qcow2 image ${what}.`);

function safe(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse(`has an impossible ${what}`);
  return Number(value);
}

function readHeader(source: Source): Header {
  const head = source.read(0, 112);
  if (head.length < V2_HEADER) throw refuse('is truncated in its header');
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw refuse(`has version ${version}; only 2 and 3 are supported`);
  if (version === 3 && head.length < V3_HEADER) throw refuse('is truncated in its header');
  return {
    version,
    backingOffset: head.readBigUInt64BE(8),
    backingLength: head.readUInt32BE(16),
    clusterBits: head.readUInt32BE(20),
    virtualSize: safe(head.readBigUInt64BE(24), 'virtual size'),
    encryption: head.readUInt32BE(32),
    l1Entries: head.readUInt32BE(36),
    l1Offset: safe(head.readBigUInt64BE(40), 'L1 table offset'),
    refcountTableOffset: safe(head.readBigUInt64BE(48), 'refcount table offset'),
    refcountTableClusters: head.readUInt32BE(56),
    snapshots: head.readUInt32BE(60),
    snapshotsOffset: safe(head.readBigUInt64BE(64), 'snapshot table offset'),
    incompatible: version === 3 ? head.readBigUInt64BE(72) : 0n,
    refcountOrder: version === 3 ? head.readUInt32BE(96) : 4,
    headerLength: version === 3 ? head.readUInt32BE(100) : V2_HEADER,
  };
}

/** Judges the image. `maxVirtual` is the largest disk that is accepted, in bytes. Throws Refusal. */
export function inspectQcow2(source: Source, maxVirtual: number): Verdict {
  const header = readHeader(source);
  if (header.backingOffset !== 0n || header.backingLength !== 0) throw refuse('refers to a backing file');
  checkFeatures(header);
  if (header.clusterBits < 9 || header.clusterBits > 21) throw refuse('has an impossible cluster size');
  const cluster = 2 ** header.clusterBits;
  if (header.headerLength < (header.version === 3 ? V3_HEADER : V2_HEADER) || header.headerLength > cluster)
    throw refuse('has a header of an impossible length');
  checkExtensions(source, header, cluster);
  if (header.virtualSize > maxVirtual) throw refuse(`is a disk of more than ${maxVirtual} bytes`);
  checkL1(source, header, cluster);
  checkRefcounts(source, header, cluster);
  if (header.snapshots !== 0) throw refuse('carries internal snapshots');
  return { format: 'qcow2', virtualSize: header.virtualSize };
}

function checkFeatures(header: Header): void {
  if (header.encryption !== 0) throw refuse('is encrypted');
  if (header.incompatible & INCOMPATIBLE.dataFile) throw refuse('refers to an external data file');
  if (header.incompatible & INCOMPATIBLE.corrupt) throw refuse('is marked corrupt');
  if (header.incompatible & ~KNOWN_INCOMPATIBLE) throw refuse('needs features that are not known here');
  if (header.refcountOrder > 6) throw refuse('has an impossible refcount width');
}

/** Extensions follow the header: type, length, data padded to 8. A data file may be named only here. */
function checkExtensions(source: Source, header: Header, cluster: number): void {
  let at = header.headerLength;
  for (let count = 0; at + 8 <= Math.min(cluster, source.size); count += 1) {
    if (count >= MAX_EXTENSIONS) throw refuse('has too many header extensions');
    const start = source.read(at, 8);
    const type = start.readUInt32BE(0);
    const length = start.readUInt32BE(4);
    if (type === EXTENSION.end) return;
    if (type === EXTENSION.dataFile) throw refuse('refers to an external data file');
    if (type === EXTENSION.encryption) throw refuse('is encrypted');
    if (at + 8 + length > cluster) throw refuse('has a header extension that does not fit');
    at += 8 + Math.ceil(length / 8) * 8;
  }
}

function checkL1(source: Source, header: Header, cluster: number): void {
  const entryBytes = header.incompatible & INCOMPATIBLE.extendedL2 ? 16 : 8;
  const needed = Math.ceil(header.virtualSize / (cluster * (cluster / entryBytes)));
  if (header.l1Entries * 8 > MAX_L1_BYTES) throw refuse('has an L1 table that is too large');
  if (header.l1Entries < needed) throw refuse('has an L1 table that is too small for its disk');
  checkTable(source, { at: header.l1Offset, bytes: header.l1Entries * 8, cluster, name: 'L1 table' });
}

function checkRefcounts(source: Source, header: Header, cluster: number): void {
  const bytes = header.refcountTableClusters * cluster;
  if (!bytes) throw refuse('has no refcount table');
  if (bytes > MAX_REFCOUNT_TABLE_BYTES) throw refuse('has a refcount table that is too large');
  checkTable(source, { at: header.refcountTableOffset, bytes, cluster, name: 'refcount table' });
}

interface Table {
  readonly at: number;
  readonly bytes: number;
  readonly cluster: number;
  readonly name: string;
}

/** The table lies on a cluster inside the file, and so does each cluster that it points to. */
function checkTable(source: Source, table: Table): void {
  if (!table.bytes) return;
  if (table.at === 0 || table.at % table.cluster !== 0) throw refuse(`has a misplaced ${table.name}`);
  if (table.at + table.bytes > source.size) throw refuse(`is truncated in its ${table.name}`);
  for (let done = 0; done < table.bytes; done += BLOCK) {
    const block = source.read(table.at + done, Math.min(BLOCK, table.bytes - done));
    for (let entry = 0; entry + 8 <= block.length; entry += 8) {
      const points = Number(block.readBigUInt64BE(entry) & OFFSET_MASK);
      if (points !== 0 && (points % table.cluster !== 0 || points >= source.size))
        throw refuse(`has a ${table.name} that points outside the file`);
    }
  }
}
