/** Puts a node's driver together from the configuration. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '#libs/platform/log';
import type { AgentOptions } from './config.js';
import { ImageCache } from './disk/image-cache.js';
import { Instances } from './disk/instances.js';
import type { HypervisorDriver } from './driver/driver.js';
import { FakeDriver } from './driver/fake.js';
import { LibvirtDriver } from './driver/libvirt.js';
import { run, watch } from './exec/run.js';
import { cpuSet } from './hardware/wishes.js';
import { probeKvm, thisHost } from './kvm/probe.js';
import { MetadataPlane } from './metadata/plane.js';
import { AdvertisementGuard } from './ovs/advertisement-guard.js';
import { Ovs } from './ovs/ovs.js';

/** A secret of this node alone, made once. */
async function nodeSecret(path: string): Promise<string> {
  const kept = await readFile(path, 'utf8').catch(() => '');
  if (kept) return kept;
  const secret = randomBytes(32).toString('hex');
  await writeFile(path, secret, { mode: 0o600 });
  return secret;
}

export async function makeDriver(options: AgentOptions, stateDir: string, log: Log): Promise<HypervisorDriver> {
  await mkdir(stateDir, { recursive: true });
  if (options.driver === 'fake') {
    const { vcpus, memoryMb, diskGb } = options.capacity ?? {};
    return new FakeDriver({
      journal: join(stateDir, 'domains'),
      ...(options.delays ? { delays: options.delays } : {}),
      ...(vcpus ? { vcpus } : {}),
      ...(memoryMb ? { memoryMb } : {}),
      ...(diskGb ? { diskGb } : {}),
    });
  }
  return libvirtDriver(options, stateDir, log);
}

/** Throws where a host processor is to be both. */
function cpuSets(options: AgentOptions): { dedicatedCpus: ReadonlySet<number>; sharedCpus: ReadonlySet<number> } {
  const [dedicatedCpus, sharedCpus] = [cpuSet(options.dedicatedCpus), cpuSet(options.sharedCpus)];
  const both = [...dedicatedCpus].filter((cpu) => sharedCpus.has(cpu));
  if (both.length) throw new Error(`dedicatedCpus and sharedCpus both name ${both.join(', ')}`);
  return { dedicatedCpus, sharedCpus };
}

async function libvirtDriver(options: AgentOptions, stateDir: string, log: Log): Promise<HypervisorDriver> {
  await chmod(stateDir, 0o711);
  const probe = await probeKvm(options.virtType, thisHost(run));
  log.info(probe, 'the acceleration of guests is chosen');
  const secret = await nodeSecret(join(stateDir, 'secret'));
  const instances = new Instances(join(stateDir, 'instances'));
  const images = new ImageCache({ folder: join(stateDir, 'images'), log });
  const ovs = new Ovs({ run, database: options.ovsSocket, bridge: options.bridge });
  const metadata = new MetadataPlane({ run, ovs, log, secret, enabled: options.metadata }, () => instances.specs());
  const advertisements = new AdvertisementGuard({ run, watch, bridge: options.bridge, log });
  const parts = { instances, images, metadata, ovs, advertisements, run, probe, log, secret };
  const { bridge, parallel, shutdownMs, capacity = {}, cpu = {}, libvirtSocket: socket } = options;
  return new LibvirtDriver({ ...parts, ...cpuSets(options), bridge, parallel, shutdownMs, capacity, cpu, socket });
}
