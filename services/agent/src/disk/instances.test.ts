/** What a node keeps of its servers: news of a guest go into what stands there, and old ones never replace them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { computeV1 } from '#libs/contract';
import { Instances } from './instances.js';

const ID = '0b7ec2f4-4a39-4f25-9a3e-1c2d3e4f5a6b';
const nic = (portId: string, address: string, floating: string[] = [], groups = ['default']): computeV1.Nic =>
  computeV1.Nic.fromPartial({
    portId,
    fixedIps: [{ address, version: 4, floating }],
    securityGroups: groups,
  });
const spec = (news: number, nics: computeV1.Nic[], more: Partial<computeV1.ServerSpec> = {}) =>
  computeV1.ServerSpec.fromPartial({ serverId: ID, name: 'a', vcpus: 1, news, nics, ...more });

let folder: string;
let instances: Instances;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-instances-'));
  instances = new Instances(folder);
  await instances.start();
});
afterEach(() => rmSync(folder, { recursive: true }));

it('takes over what the guest is told, and leaves its machine as it was made', async () => {
  await instances.save(spec(0, [nic('one', '10.0.0.5'), nic('two', '10.0.0.6')]));
  const news = spec(1, [nic('one', '10.0.0.9', ['203.0.113.7'], ['web']), nic('new', '10.0.0.7')], {
    ...{ name: 'b', vcpus: 8, generation: 9 },
    metadata: { role: 'front' },
  });
  const kept = await instances.tell(news);
  expect(kept).toMatchObject({ name: 'b', vcpus: 1, generation: 0, news: 1, metadata: { role: 'front' } });
  expect(
    kept!.nics.map(({ portId, fixedIps, securityGroups }) => [portId, fixedIps[0]!.address, securityGroups]),
  ).toEqual([
    ['one', '10.0.0.9', ['web']],
    ['two', '10.0.0.6', ['default']],
  ]);
  const again = new Instances(folder);
  await again.start();
  expect(again.spec(ID)).toEqual(kept);
});

it('does not let older news replace newer ones, in whatever order they are written', async () => {
  await instances.save(spec(0, [nic('one', '10.0.0.5')]));
  const told = (news: number) => spec(news, [nic('one', '10.0.0.5', [`203.0.113.${news}`])]);
  await Promise.all([instances.tell(told(2)), instances.save({ ...told(1), vcpus: 4 }), instances.tell(told(1))]);
  expect(instances.spec(ID)).toMatchObject({ vcpus: 4, news: 2, nics: told(2).nics });
  await instances.save({ ...told(3), vcpus: 5 });
  expect(instances.spec(ID)).toMatchObject({ vcpus: 5, news: 3, nics: told(3).nics });
});

it('keeps nothing of a server that has not been made here, or is gone', async () => {
  expect(await instances.tell(spec(1, []))).toBeUndefined();
  await instances.save(spec(0, []));
  const [, told] = await Promise.all([instances.remove(ID), instances.tell(spec(1, []))]);
  expect(told).toBeUndefined();
  expect(await instances.list()).toEqual([]);
});
