import { expect, it } from 'vitest';
import { diagnosticsOf } from './diagnostics.js';

const PORT = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';

it('is what libvirt has counted, each device once', () => {
  const stats = new Map<string, number | bigint | string>([
    ['balloon.current', 131_072n],
    ['balloon.maximum', 262_144n],
    ['balloon.rss', 99_000n],
    ['balloon.last-update', 7n],
    ['vcpu.current', 2],
    ['vcpu.maximum', 2],
    ['vcpu.0.time', 17_300_000_000n],
    ['vcpu.1.time', 2n ** 60n],
    ['net.count', 2],
    ['net.0.name', 'tap0b7ec2f4-4a'],
    ['net.0.rx.bytes', 1n],
    ['net.0.rx.pkts', 2n],
    ['net.0.rx.errs', 3n],
    ['net.0.rx.drop', 4n],
    ['net.0.tx.bytes', 5n],
    ['net.0.tx.pkts', 6n],
    ['net.0.tx.errs', 7n],
    ['net.0.tx.drop', 8n],
    ['net.1.name', 'vnet9'],
    ['block.count', 1],
    ['block.0.name', 'vda'],
    ['block.0.rd.reqs', 10n],
    ['block.0.rd.bytes', 11n],
    ['block.0.wr.reqs', 12n],
    ['block.0.wr.bytes', 13n],
  ]);
  const nothing = { bytes: 0, packets: 0, errors: 0, drops: 0 };
  expect(diagnosticsOf(stats, [{ portId: PORT, mac: 'fa:16:3e:00:00:01' }])).toEqual({
    cpus: [
      { id: 0, timeNs: 17_300_000_000 },
      { id: 1, timeNs: Number.MAX_SAFE_INTEGER },
    ],
    disks: [{ device: 'vda', readRequests: 10, readBytes: 11, writeRequests: 12, writeBytes: 13 }],
    nics: [
      {
        device: 'tap0b7ec2f4-4a',
        mac: 'fa:16:3e:00:00:01',
        received: { bytes: 1, packets: 2, errors: 3, drops: 4 },
        sent: { bytes: 5, packets: 6, errors: 7, drops: 8 },
      },
      { device: 'vnet9', mac: '', received: nothing, sent: nothing },
    ],
    memoryMaxKib: 262_144,
    memory: { actual: 131_072, rss: 99_000, last_update: 7 },
  });
});

it('is nothing of a guest of which nothing is told', () => {
  expect(diagnosticsOf(new Map(), [])).toEqual({ cpus: [], disks: [], nics: [], memoryMaxKib: 0, memory: {} });
});
