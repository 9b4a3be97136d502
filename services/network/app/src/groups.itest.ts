import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { networkGroupsV1 } from '#libs/contract';
import { connectGrpc, type Remote } from '#libs/platform/grpc';
import { type Testbed, testbed } from './testbed.fixture.js';

let bed: Testbed;
let groups: Remote<typeof networkGroupsV1.GroupsService>;
beforeAll(async () => {
  bed = await testbed();
  groups = connectGrpc(networkGroupsV1.GroupsService, [bed.grpcAddress], 'network', bed.tls('compute'));
});
afterAll(async () => {
  groups.close();
  await bed.close();
});

it('describes the groups of one project with their rules, and no others', async () => {
  const made = await bed.call('POST', '/v2.0/security-groups', { security_group: { name: 'web' } }, { project: 'p1' });
  const { id } = made.body['security_group'] as { id: string };
  const rule = { security_group_id: id, direction: 'ingress', protocol: 'tcp', port_range_min: 80, port_range_max: 81 };
  await bed.call(
    'POST',
    '/v2.0/security-group-rules',
    { security_group_rule: { ...rule, remote_group_id: id } },
    { project: 'p1' },
  );
  const reply = await groups.describe({ projectId: 'p1', groupIds: [id, randomUUID(), 'x'] });
  expect(reply.groups).toMatchObject([{ id, name: 'web', projectId: 'p1' }]);
  expect(reply.groups[0]?.rules.find(({ direction }) => direction === 'ingress')).toMatchObject({
    protocol: 'tcp',
    portRangeMin: 80,
    portRangeMax: 81,
    remoteGroupId: id,
    remoteGroupName: 'web',
    remoteGroupProjectId: 'p1',
  });
  expect(await groups.describe({ projectId: 'p2', groupIds: [id] })).toEqual({ groups: [] });
});

it('answers compute alone', async () => {
  const stranger = connectGrpc(networkGroupsV1.GroupsService, [bed.grpcAddress], 'network', bed.tls('cli'));
  await expect(stranger.describe({ projectId: 'p1', groupIds: [] })).rejects.toMatchObject({ kind: 'forbidden' });
  stranger.close();
});
