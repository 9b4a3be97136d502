import { expect, it } from 'vitest';
import { pluggedIn } from './interfaces.js';

const PORT = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';
const OTHER = '1b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';
const plugged = (mac: string, port: string): string => `
    <interface type='bridge'>
      <mac address='${mac}'/>
      <source bridge='br-int'/>
      <virtualport type='openvswitch'>
        <parameters interfaceid='${port}'/>
      </virtualport>
      <target dev='tap${port.slice(0, 11)}'/>
    </interface>`;

it('finds the interfaces of a domain by their ports', () => {
  const xml = `<domain><devices>${plugged('fa:16:3e:00:00:01', PORT)}<disk/>${plugged('fa:16:3e:00:00:02', OTHER)}</devices></domain>`;
  expect(pluggedIn(xml)).toEqual([
    { portId: PORT, mac: 'fa:16:3e:00:00:01' },
    { portId: OTHER, mac: 'fa:16:3e:00:00:02' },
  ]);
});

it('leaves alone what nobody here plugged', () => {
  const foreign = `<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>`;
  expect(pluggedIn(`<domain>${foreign}${plugged('fa:16:3e:00:00:02', OTHER)}</domain>`)).toHaveLength(1);
  expect(pluggedIn('<domain/>')).toEqual([]);
});
