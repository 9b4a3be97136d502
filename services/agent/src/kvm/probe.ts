/**
 * Whether KVM runs guests here. `/dev/kvm` and libvirt's capabilities are not proof: a page-table KVM offers both and
 * hangs on stock kernels. So after the quick signs a ROM is run, first under TCG (does the harness work at all?), then
 * under KVM with a short limit.
 */
import { constants } from 'node:fs';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, type Run } from '../exec/run.js';
import { EXIT_PORT, PROBE_EXIT_CODE, probeRom } from './rom.js';

export type Accel = 'kvm' | 'tcg';
export type VirtType = 'auto' | 'kvm' | 'qemu';

export interface Probe {
  readonly accel: Accel;
  /** A sentence for the operator. */
  readonly reason: string;
}

/** What the probe looks at; a seam for tests. */
export interface ProbeHost {
  kvmOpens(): Promise<boolean>;
  hasModule(name: string): Promise<boolean>;
  cpuFlags(): Promise<string>;
  /** True when the ROM ended QEMU with the expected code within the limit. */
  romRuns(accel: Accel, limitMs: number): Promise<boolean>;
}

const TCG_LIMIT_MS = 20_000;
const KVM_LIMIT_MS = 2_000;

export async function probeKvm(virtType: VirtType, host: ProbeHost): Promise<Probe> {
  if (virtType === 'kvm') return { accel: 'kvm', reason: 'configured; not probed' };
  if (virtType === 'qemu') return { accel: 'tcg', reason: 'configured' };
  if (!(await host.kvmOpens())) return { accel: 'tcg', reason: '/dev/kvm can not be opened' };
  if (await host.hasModule('kvm_pvm'))
    return { accel: 'tcg', reason: 'the kernel has a page-table KVM (kvm_pvm), which does not run stock guests' };
  if (!/\b(vmx|svm)\b/.test(await host.cpuFlags()))
    return { accel: 'tcg', reason: 'the processor shows no vmx or svm' };
  if (!(await host.romRuns('tcg', TCG_LIMIT_MS)))
    return { accel: 'tcg', reason: 'the probe itself did not run under emulation, so KVM stays unproved' };
  if (!(await host.romRuns('kvm', KVM_LIMIT_MS)))
    return { accel: 'tcg', reason: `KVM is present but did not run the probe within ${KVM_LIMIT_MS} ms` };
  return { accel: 'kvm', reason: 'proved by the probe' };
}

const QEMU = 'qemu-system-x86_64';

async function romRuns(run: Run, accel: Accel, limitMs: number): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'kvm-probe-'));
  try {
    const rom = join(folder, 'probe.rom');
    await writeFile(rom, probeRom());
    const exit = `isa-debug-exit,iobase=${EXIT_PORT},iosize=4`;
    const machine = ['-machine', 'pc', '-m', '16', '-nodefaults', '-display', 'none', '-no-reboot'];
    await run(QEMU, ['-accel', accel, ...machine, '-bios', rom, '-device', exit], { timeoutMs: limitMs });
    return false;
  } catch (error) {
    return error instanceof CommandFailed && error.code === PROBE_EXIT_CODE;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The machine itself. */
export const thisHost = (run: Run): ProbeHost => ({
  kvmOpens: () =>
    access('/dev/kvm', constants.R_OK | constants.W_OK).then(
      () => true,
      () => false,
    ),
  hasModule: (name) =>
    access(`/sys/module/${name}`).then(
      () => true,
      () => false,
    ),
  cpuFlags: async () => (await readFile('/proc/cpuinfo', 'utf8')).match(/^flags\s*:.*$/m)?.[0] ?? '',
  romRuns: (accel, limitMs) => romRuns(run, accel, limitMs),
});
