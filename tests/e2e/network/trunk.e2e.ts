/** Trunks as packets feel them: what a guest sends with a VLAN's tag comes out on the subport's network without it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../client.js';
import type { Endpoint } from './lab/endpoint.js';
import { ping, tagged, vlanOf } from './lab/frames.js';
import { Lab } from './lab/lab.js';
import type { Network, Port } from './lab/resources.js';
import { TaggedTap } from './lab/tagged-tap.js';

interface Trunk {
  readonly id: string;
  readonly status: string;
}
interface BoundPort extends Port {
  readonly 'binding:host_id': string;
}

const VLAN = 7;
const SETTLED = { limitMs: 15_000, everyMs: 50 };

let lab: Lab;
let plain: Network;
let carried: Network;
let parent: Endpoint;
let neighbour: Endpoint;
let far: Endpoint;
let subport: Port;
let trunk: Trunk;
let onParent: TaggedTap;
let onFar: TaggedTap;

const ipOf = (port: Port): string => port.fixed_ips[0]!.ip_address;
const freePort = (network: Network): Promise<Port> => lab.make<Port>('ports', 'port', { network_id: network.id });

beforeAll(async () => {
  lab = await Lab.open('trunk');
  plain = await lab.network({ subnets: [{ cidr: '10.72.0.0/24' }] });
  carried = await lab.network({ subnets: [{ cidr: '10.73.0.0/24' }] });
  [parent, neighbour, far] = await Promise.all([
    lab.endpoint({ network: plain, node: 'node-1' }),
    lab.endpoint({ network: plain, node: 'node-2' }),
    lab.endpoint({ network: carried, node: 'node-2' }),
  ]);
  subport = await freePort(carried);
  const sub_ports = [{ port_id: subport.id, segmentation_type: 'vlan', segmentation_id: VLAN }];
  trunk = await lab.make<Trunk>('trunks', 'trunk', { port_id: parent.portId, sub_ports });
  const status = async () => (await lab.call<Trunk>('GET', `/trunks/${trunk.id}`)).status;
  await until('the trunk to be ACTIVE', status, (now) => now === 'ACTIVE', SETTLED.limitMs, SETTLED.everyMs);
  onParent = await tap(parent);
  onFar = await tap(far);
});

afterAll(() => lab.close());

async function tap({ node, namespace }: Endpoint): Promise<TaggedTap> {
  const opened = await TaggedTap.open(node, namespace);
  lab.afterwards(() => opened.close());
  return opened;
}

/** An echo request from the subport, or from whom it says, to the far endpoint. */
const echo = (text: string, from: { mac?: string; ip?: string } = {}): Buffer =>
  ping(
    { from: from.mac ?? subport.mac_address, to: far.mac },
    { source: from.ip ?? ipOf(subport), target: far.ipv4 },
    text,
  );
const heard = (on: TaggedTap, text: string): (number | undefined)[] => on.holding(text).map(vlanOf);
const untilHeard = (on: TaggedTap, text: string) =>
  until(
    `'${text}' to be heard`,
    async () => heard(on, text),
    (tags) => tags.length > 0,
    5_000,
    50,
  );

/** Sends the frame until its text is heard on the other side, as a guest would try again. */
const untilThrough = (frame: Buffer, text: string) =>
  until(
    `'${text}' to come through`,
    async () => {
      await parent.inject(frame);
      return heard(onFar, text);
    },
    (tags) => tags.length > 0,
    10_000,
    100,
  );

let marks = 0;
/** Sends what must not arrive, then something that does: so that silence is no matter of time. */
async function expectLost(text: string, frame: Buffer): Promise<void> {
  const mark = `mark ${marks++} of the test`;
  await parent.inject(frame);
  await untilThrough(tagged(VLAN, echo(mark)), mark);
  expect(heard(onFar, text)).toEqual([]);
}

describe('a trunk', () => {
  it('is bound with its parent', async () => {
    const port = await lab.call<BoundPort>('GET', `/ports/${subport.id}`, undefined, 'admin');
    expect(port).toMatchObject({ status: 'ACTIVE', 'binding:host_id': 'node-1', device_owner: 'trunk:subport' });
  });

  it('takes the tag off what its guest sends, and puts it on what comes back', async () => {
    const frame = tagged(VLAN, echo('through the trunk'));
    expect(new Set(await untilThrough(frame, 'through the trunk'))).toEqual(new Set([undefined]));
    expect(await untilHeard(onParent, 'through the trunk')).toContain(VLAN);
  });

  it('leaves its parent on its own network', async () => {
    expect(await parent.ping(neighbour.ipv4)).toBe(true);
    expect(await neighbour.ping(parent.ipv4)).toBe(true);
  });

  it('carries no other VLAN, and nothing untagged, to the subport’s network', async () => {
    await expectLost('other VLAN', tagged(VLAN + 1, echo('other VLAN')));
    await expectLost('untagged', echo('untagged'));
  });

  it('lets its guest pretend to be nobody else', async () => {
    await expectLost('foreign address', tagged(VLAN, echo('foreign address', { ip: '10.73.0.250' })));
    await expectLost('foreign MAC', tagged(VLAN, echo('foreign MAC', { mac: parent.mac })));
  });

  it('carries a subport that is added while it runs, until it is taken away', async () => {
    const late = await freePort(carried);
    const change = (how: 'add' | 'remove', more: object = {}) =>
      lab.call('PUT', `/trunks/${trunk.id}/${how}_subports`, { sub_ports: [{ port_id: late.id, ...more }] });
    const own = { mac: late.mac_address, ip: ipOf(late) };
    await change('add', { segmentation_type: 'vlan', segmentation_id: VLAN + 2 });
    await lab.active(late.id);
    await untilThrough(tagged(VLAN + 2, echo('late subport', own)), 'late subport');
    await change('remove');
    const gone = async () => (await lab.call<Port>('GET', `/ports/${late.id}`)).status;
    await until('the subport to be DOWN', gone, (now) => now === 'DOWN', SETTLED.limitMs, SETTLED.everyMs);
    await expectLost('no more', tagged(VLAN + 2, echo('no more', own)));
  });
});
