import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { brokerFiles, passwordHash } from './controller-config.js';
import type { Deployment } from './deployment.js';

const deployment: Deployment = {
  id: 'abc123',
  checkout: '/c',
  state: '/s',
  roots: '/r',
  subnet: 0,
  port: 20_000,
  bind: '127.0.0.1',
  publicUrl: 'http://127.0.0.1:20000',
  nodes: 2,
  simulated: 3,
  testStores: false,
};
const secrets = { text: (name: string) => `secret of ${name}`, bytes: () => '', signingKey: () => '' };
const definitions = (d: Deployment) =>
  JSON.parse(brokerFiles(d, secrets, '/nowhere', 104)['rabbitmq-definitions.json']?.text ?? '') as {
    users: { name: string; tags: string[] }[];
    vhosts: { name: string }[];
    permissions: { user: string; vhost: string; configure: string; write: string; read: string }[];
    topic_permissions: { user: string; exchange: string; write: string; read: string }[];
  };

describe('users of the bus', () => {
  it('lets an agent read its own queue and report under its own name alone', () => {
    const { permissions, topic_permissions: topics } = definitions(deployment);
    const [mine, ...more] = permissions.filter(({ user }) => user === 'agent-node-1');
    expect(more).toEqual([]);
    expect(mine).toMatchObject({ configure: '^$', write: '^node\\.report$', read: '^node\\.node-1$' });
    expect(new RegExp(mine?.read ?? '').test('node.node-10')).toBe(false);
    expect(topics.find(({ user }) => user === 'agent-node-1')).toMatchObject({
      exchange: 'node.report',
      write: '^node-1$',
      read: '^$',
    });
  });

  it('knows each service, node and simulated node, and nobody with a tag', () => {
    const { users } = definitions(deployment);
    expect(users.map(({ name }) => name)).toEqual([
      'identity',
      'image',
      'network',
      'placement',
      'compute',
      'agent-node-1',
      'agent-node-2',
      'agent-sim-001',
      'agent-sim-002',
      'agent-sim-003',
    ]);
    expect(users.every(({ tags }) => tags.length === 0)).toBe(true);
  });

  it('gives tests a vhost of their own, and only when asked', () => {
    expect(definitions(deployment).vhosts).toEqual([{ name: 'yagura' }]);
    const { permissions } = definitions({ ...deployment, testStores: true });
    expect(permissions.filter(({ user }) => user === 'yagura-tests').map(({ vhost }) => vhost)).toEqual([
      'yagura-tests',
    ]);
  });

  it('salts a password, and keeps a hash that still fits', () => {
    const hash = passwordHash('p');
    const bytes = Buffer.from(hash, 'base64');
    expect(bytes.subarray(4)).toEqual(createHash('sha256').update(bytes.subarray(0, 4)).update('p').digest());
    expect(passwordHash('p', hash)).toBe(hash);
    expect(passwordHash('q', hash)).not.toBe(hash);
  });
});
