/**
 * A firmware image that shows whether guests really run: it enters long mode with page tables (which a page-table KVM
 * without hardware support does not survive, while real mode works even there), counts for a while, and asks QEMU's
 * `isa-debug-exit` device to end the process. Hand-assembled, each line with its instruction.
 */

const ROM_BYTES = 64 * 1024;
/** Where a 64 KiB firmware image appears in the first megabyte. */
const BASE = 0xf0000;
const GDT_POINTER_AT = 0x80;
const GDT_AT = 0x90;
const LONG_MODE_AT = 0xa0;
const RESET_AT = 0xfff0;
const LOOPS = 10_000_000;
const EXIT_VALUE = 0x2a;
/** The port of isa-debug-exit. */
export const EXIT_PORT = 0xf4;
/** isa-debug-exit makes QEMU exit with (value << 1) | 1. */
export const PROBE_EXIT_CODE = (EXIT_VALUE << 1) | 1;

const dword = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
const word = (value: number): number[] => dword(value).slice(0, 2);

/** 16-bit `mov dword [address], value`: one entry of a page table. */
const store = (address: number, value: number): number[] => [0x66, 0xc7, 0x06, ...word(address), ...dword(value)];

const realMode: number[] = [
  0xfa, // cli
  0xfc, // cld
  ...[0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0], // ax = ds = es = ss = 0
  ...[0xbf, ...word(0x1000), 0xb9, ...word(0x0c00)], // di = 0x1000, cx = three pages in dwords
  ...[0x66, 0x31, 0xc0, 0x66, 0xf3, 0xab], // clear them
  ...store(0x1000, 0x2003), // level 4 -> level 3
  ...store(0x2000, 0x3003), // level 3 -> level 2
  ...store(0x3000, 0x83), // level 2: the first 2 MiB, as they are
  ...[0x2e, 0x66, 0x0f, 0x01, 0x16, ...word(GDT_POINTER_AT)], // lgdt cs:[pointer]
  ...[0x66, 0xb8, ...dword(0x620), 0x0f, 0x22, 0xe0], // cr4: PAE, SSE
  ...[0x66, 0xb8, ...dword(0x1000), 0x0f, 0x22, 0xd8], // cr3: the tables
  ...[0x66, 0xb9, ...dword(0xc0000080), 0x0f, 0x32], // read EFER
  ...[0x66, 0x0d, ...dword(0x100), 0x0f, 0x30], // set its long mode bit
  ...[0x66, 0xb8, ...dword(0x80000011), 0x0f, 0x22, 0xc0], // cr0: paging and protection on
  ...[0x66, 0xea, ...dword(BASE + LONG_MODE_AT), ...word(8)], // far jump into 64-bit code
];

const longMode: number[] = [
  0xb9, // ecx = LOOPS
  ...dword(LOOPS),
  ...[0xff, 0xc9, 0x75, 0xfc], // count down
  ...[0x66, 0xba, ...word(EXIT_PORT), 0xb0, EXIT_VALUE, 0xee], // out EXIT_PORT, EXIT_VALUE
  ...[0xf4, 0xeb, 0xfd], // halt for ever
];

/** The 64 KiB to give to QEMU as `-bios`. */
export function probeRom(): Buffer {
  const rom = Buffer.alloc(ROM_BYTES);
  rom.set(realMode, 0);
  rom.set([...word(15), ...dword(BASE + GDT_AT)], GDT_POINTER_AT);
  rom.writeBigUInt64LE(0x00af_9a00_0000_ffffn, GDT_AT + 8); // 64-bit code, ring 0
  rom.set(longMode, LONG_MODE_AT);
  rom.set([0xea, ...word(0), ...word(BASE >> 4)], RESET_AT); // the processor starts here
  return rom;
}
