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
  if (version === 3 && header.length >= 104 && header.readBigUInt64BE(72) & EXTERNAL_DATA_FILE)
    return 'it has an external data file';
  return undefined;
}
