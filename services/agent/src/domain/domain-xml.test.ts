import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hardwareFor, LARGE_NODE } from '../hardware/abilities.fixture.js';
import { type DomainInput, domainXml, isOurs, tapName } from './domain-xml.js';
import { element, escapeXml, toXml } from './xml.js';

const INPUT: DomainInput = {
  serverId: '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b',
  displayName: 'web <1> & "co"',
  projectId: '3f1c2b7d9e804c6d8b5e0a1f2c3d4e5f',
  vcpus: 2,
  memoryMb: 192,
  accel: 'tcg',
  hardware: hardwareFor(),
  disk: { path: '/i/disk.qcow2', basePath: '/c/base.qcow2', baseFormat: 'qcow2' },
  localDisks: [],
  configDrive: '/i/config.iso',
  nics: [{ portId: '5d0f3e8a-1b2c-4d3e-8f90-aabbccddeeff', mac: 'fa:16:3e:00:00:01', mtu: 1442 }],
  bridge: 'br-int',
  consoleLog: '/i/console.log',
};

describe('the domain', () => {
  it('is described the same way each time', async () => {
    await expect(domainXml(INPUT)).toMatchFileSnapshot('./domain-tcg.golden.xml');
  });

  it('differs under KVM where it must', async () => {
    const input: DomainInput = {
      ...INPUT,
      accel: 'kvm',
      configDrive: undefined,
      nics: [],
      hardware: hardwareFor({}, { ...LARGE_NODE, dedicatedCpus: new Set(), sharedCpus: new Set(Array(16).keys()) }),
      disk: { ...INPUT.disk, baseFormat: 'raw' },
    };
    await expect(domainXml(input)).toMatchFileSnapshot('./domain-kvm.golden.xml');
  });

  it('boots from a rescue disk in the place of its own, which comes second', async () => {
    const disk = { path: '/i/rescue.5.qcow2', basePath: '/c/rescue.raw', baseFormat: 'raw' as const };
    await expect(domainXml({ ...INPUT, rescue: { disk, beside: undefined } })).toMatchFileSnapshot(
      './domain-rescue.golden.xml',
    );
  });

  it.each([
    ['disk', 'virtio', 'vdb'],
    ['disk', 'usb', 'sdb'],
    ['cdrom', 'scsi', 'sdb'],
    ['cdrom', 'ide', 'hda'],
  ] as const)('keeps its own devices when it is rescued from a %s on %s', (device, bus, dev) => {
    const disk = { path: '/i/rescue.5.qcow2', basePath: '/c/rescue.raw', baseFormat: 'raw' as const };
    const xml = domainXml({ ...INPUT, rescue: { disk, beside: { device, bus } } });
    const own = domainXml(INPUT).match(/<disk[\s\S]*?<\/disk>/g)!;
    const [root, rescue, drive] = xml.match(/<disk[\s\S]*?<\/disk>/g)!;
    expect([root, drive]).toEqual(own);
    expect(rescue).toContain(`device="${device}"`);
    expect(rescue).toContain(`<target dev="${dev}" bus="${bus}"/>`);
    expect(rescue).toContain('<boot order="1"/>');
    expect(xml).not.toContain('<boot dev=');
    expect(xml.match(/type="scsi"/g)).toHaveLength(1);
    expect(xml).toContain(`<controller type="usb" model="${bus === 'usb' ? 'qemu-xhci' : 'none'}"/>`);
  });

  it('has further disks on their own buses, which a rescue in the place of its own leaves away', async () => {
    const localDisks = [
      { path: '/i/local.1.qcow2', bus: 'scsi' as const, serial: '1b7ec2f4' },
      { path: '/i/local.2.qcow2' },
    ];
    const input = { ...INPUT, disk: { ...INPUT.disk, serial: '0b7ec2f4' }, localDisks };
    await expect(domainXml(input)).toMatchFileSnapshot('./domain-disks.golden.xml');
    const disk = { path: '/i/rescue.5.qcow2', basePath: '/c/rescue.raw', baseFormat: 'raw' as const };
    expect(domainXml({ ...input, rescue: { disk, beside: undefined } })).not.toContain('/i/local.');
    expect(domainXml({ ...input, rescue: { disk, beside: { device: 'disk', bus: 'usb' } } })).toContain('/i/local.');
  });

  it('keeps any free text inside one text node', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (displayName) => {
        const text = escapeXml(displayName);
        expect(text).not.toMatch(/[<>"']/);
        const outside = domainXml({ ...INPUT, displayName })
          .replace(`<yagura:name>${text}</yagura:name>`, '')
          .replace('<yagura:name/>', '');
        expect(outside).toBe(domainXml({ ...INPUT, displayName: 'x' }).replace('<yagura:name>x</yagura:name>', ''));
      }),
    );
  });

  it('closes every chain of images', () => {
    const disks = domainXml(INPUT).match(/<disk[\s\S]*?<\/disk>/g)!;
    expect(disks).toHaveLength(2);
    for (const disk of disks) {
      expect(disk).toContain('<backingStore/>');
      expect(disk).toMatch(/<driver name="qemu" type="(qcow2|raw)"/);
    }
  });
});

it('names taps and domains so that they can be found again', () => {
  expect(tapName(INPUT.nics[0]!.portId)).toBe('tap5d0f3e8a-1b');
  expect(isOurs(`instance-${INPUT.serverId}`, INPUT.serverId)).toBe(true);
  expect(isOurs('debian12', INPUT.serverId)).toBe(false);
});

it('writes elements with what XML can not carry replaced', () => {
  expect(toXml(element('a', { b: 'x\u0000"y\n', c: undefined }, 'é\ud800'))).toBe(
    '<a b="x\ufffd&quot;y&#10;">é\ufffd</a>\n',
  );
});
