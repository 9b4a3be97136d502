/**
 * Whether a qcow2's own header would make QEMU open other files. The image service refuses such images at upload; the
 * node looks again at what it downloaded, before any privileged process sees it. Layout: QEMU's docs/interop/qcow2.txt.
 */
const MAGIC = 0x514649fb;
const EXTERNAL_DATA_FILE = 1n << 2n;

/** Undefined when the header is that of a self-contained qcow2; otherwise what is wrong. Needs the first 104 bytes. */
export function faultOfQcow2(header: Buffer): string | undefined {
  if (header.length < 72 || header.readUInt32BE(0) !== MAGIC) return 'it is not a qcow2 image';
  const version = header.readUInt32BE(4);
  if (version !== 2 && version !== 3) return `its qcow2 version ${version} is unknown`;
  if (header.readBigUInt64BE(8) !== 0n) return 'it has a backing file';
  return namesDataFile(header) ? 'it has an external data file' : undefined;
}

const CLUSTER = 1 << 16;
/** Entries of eight bytes, one for each cluster of clusters. */
const L1_COVERS = CLUSTER * (CLUSTER / 8);

/** A qcow2 (version 2) of that virtual size in which nothing was ever written. */
export function emptyQcow2(virtualBytes: number): Buffer {
  const file = Buffer.alloc(4 * CLUSTER);
  file.writeUInt32BE(MAGIC, 0);
  file.writeUInt32BE(2, 4);
  file.writeUInt32BE(16, 20); // cluster bits
  file.writeBigUInt64BE(BigInt(virtualBytes), 24);
  file.writeUInt32BE(Math.ceil(virtualBytes / L1_COVERS), 36);
  file.writeBigUInt64BE(BigInt(3 * CLUSTER), 40); // the first table of the mapping
  file.writeBigUInt64BE(BigInt(CLUSTER), 48); // the table of reference counts
  file.writeUInt32BE(1, 56);
  file.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER);
  for (let cluster = 0; cluster < 4; cluster += 1) file.writeUInt16BE(1, 2 * CLUSTER + 2 * cluster);
  return file;
}
/** True when QEMU would look for the disk's bytes in another file. */
export const namesDataFile = (header: Buffer): boolean =>
  header.length >= 104 && header.readUInt32BE(4) === 3 && (header.readBigUInt64BE(72) & EXTERNAL_DATA_FILE) !== 0n;
