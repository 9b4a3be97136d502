import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAgentConfig } from './config.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const TLS = { ca: '/ca', cert: '/cert', key: '/key' };
const read = (options: object, rest: object = {}) => {
  const path = join(folder, 'agent.json');
  const base = {
    process: 'agent',
    service: 'agent',
    tls: TLS,
    stateDir: '/s',
    grpc: { host: '0.0.0.0', port: 6800 },
    amqp: 'amqp://a',
  };
  writeFileSync(path, JSON.stringify({ ...base, options, ...rest }));
  return readAgentConfig(path);
};

describe('the configuration of the agent', () => {
  it('needs little', () => {
    const { nodes, options } = read({ node: 'node-1', nodeAddress: '10.0.0.11' });
    expect(nodes).toEqual([{ name: 'node-1', amqp: 'amqp://a', tls: TLS }]);
    expect(options).toMatchObject({
      driver: 'libvirt',
      virtType: 'auto',
      bridge: 'br-int',
      metadata: true,
      parallel: 4,
    });
  });

  it('may name many nodes that are simulated', () => {
    const nodes = [1, 2].map((n) => ({ name: `sim-${n}`, amqp: `amqp://${n}`, tls: TLS }));
    expect(read({ driver: 'fake', nodeAddress: '127.0.0.1', nodes }).nodes).toEqual(nodes);
    expect(() => read({ driver: 'libvirt', nodeAddress: '127.0.0.1', nodes })).toThrow('fake driver');
  });

  it.each([
    ['no name', { nodeAddress: 'x' }, {}, 'options/node'],
    ['no address', { node: 'n' }, {}, 'nodeAddress'],
    ['an unknown kind of acceleration', { node: 'n', nodeAddress: 'x', virtType: 'xen' }, {}, 'virtType'],
    ['no gRPC port', { node: 'n', nodeAddress: 'x' }, { grpc: undefined }, 'grpc'],
    ['no bus', { node: 'n', nodeAddress: 'x' }, { amqp: undefined }, 'amqp'],
  ])('is refused with %s, naming the field', (_name, options, rest, field) => {
    expect(() => read(options, rest)).toThrow(field);
  });
});
