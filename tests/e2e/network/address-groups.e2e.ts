/** Rules for address groups, with packets: who is in the group gets through, from the moment it is in until it is out. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../client.js';
import type { Endpoint } from './lab/endpoint.js';
import { Lab } from './lab/lab.js';

let lab: Lab;
let group: { readonly id: string };
let friend: Endpoint;
let stranger: Endpoint;
let subject: Endpoint;

beforeAll(async () => {
  lab = await Lab.open('address-groups');
  const network = await lab.network({ subnets: [{ cidr: '10.77.0.0/24' }, { cidr: 'fd77::/64', enable_dhcp: false }] });
  const open = await lab.group({
    rules: (['IPv4', 'IPv6'] as const).map((ethertype) => ({ direction: 'egress' as const, ethertype })),
  });
  const closed = await lab.group({ rules: [] });
  group = await lab.call('POST', '/address-groups', { address_group: { name: 'friends' } });
  for (const ethertype of ['IPv4', 'IPv6']) {
    const rule = { security_group_id: closed, direction: 'ingress', ethertype, remote_address_group_id: group.id };
    await lab.call('POST', '/security-group-rules', { security_group_rule: rule });
  }
  const endpoints = [
    lab.endpoint({ network, node: 'node-1', groups: [open] }),
    lab.endpoint({ network, node: 'node-1', groups: [open] }),
    lab.endpoint({ network, node: 'node-2', groups: [closed] }),
  ] as const;
  [friend, stranger, subject] = await Promise.all(endpoints);
});
afterAll(async () => {
  await lab.close();
  await lab.call('DELETE', `/address-groups/${group.id}`);
});

const change = (verb: 'add' | 'remove', ...addresses: string[]) =>
  lab.call('PUT', `/address-groups/${group.id}/${verb}_addresses`, { addresses });
const heard = async (from: Endpoint): Promise<string[]> => {
  const answered = await from.pings([subject.ipv4, subject.ipv6]);
  return [...(answered.has(subject.ipv4) ? ['IPv4'] : []), ...(answered.has(subject.ipv6) ? ['IPv6'] : [])];
};
const becomes = (from: Endpoint, expected: readonly string[]) =>
  until(
    `to hear ${expected}`,
    () => heard(from),
    (now) => String(now) === String(expected),
    5_000,
    50,
  );

it('lets nobody in while the group is empty', async () => {
  expect([await heard(friend), await heard(stranger)]).toEqual([[], []]);
});

it('lets in who is added, by prefixes of both versions', async () => {
  await change('add', `${friend.ipv4}/32`);
  await becomes(friend, ['IPv4']);
  await change('add', `${friend.ipv6}/128`, '192.0.2.0/24');
  await becomes(friend, ['IPv4', 'IPv6']);
  expect(await heard(stranger)).toEqual([]);
});

it('lets everyone in by a prefix that is everything, and only those who are left when it goes', async () => {
  await change('add', '0.0.0.0/0');
  await becomes(stranger, ['IPv4']);
  await change('remove', '0.0.0.0/0');
  await becomes(stranger, []);
  expect(await heard(friend)).toEqual(['IPv4', 'IPv6']);
  await change('remove', `${friend.ipv4}/32`, `${friend.ipv6}/128`);
  await becomes(friend, []);
});
