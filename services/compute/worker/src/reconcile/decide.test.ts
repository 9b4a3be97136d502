import { expect, it } from 'vitest';
import { decide, type Standing } from './decide.js';

const standing = (more: Partial<Standing>): Standing => ({
  ...{ serverId: 's', node: 'n', vmState: 'active', taskState: null, desired: 'running', confirmed: true },
  ...{ power: 'running', event: false },
  ...more,
});

it.each([
  ['a server that is as it should be', {}, 'nothing'],
  ['a guest that ended while its node watched', { power: 'stopped', event: true }, 'seenStopped'],
  ['a guest that crashed while its node watched', { power: 'crashed', event: true }, 'seenStopped'],
  ['a guest that was lost with its node', { power: 'stopped' }, 'revive'],
  ['a domain that is lost', { power: 'absent' }, 'revive'],
  ['a stopped guest that an administrator calls active', { power: 'stopped', desired: 'stopped' }, 'seenStopped'],
  ['the same without a domain', { power: 'absent', desired: 'stopped' }, 'seenStopped'],
  ['a guest that was started from outside', { vmState: 'stopped', desired: 'stopped' }, 'seenRunning'],
  ['a resized guest that was lost with its node', { vmState: 'resized', power: 'stopped' }, 'revive'],
  ['a rescued guest whose domain is lost', { vmState: 'rescued', power: 'absent' }, 'revive'],
  ['a rescued guest that ended by itself', { vmState: 'rescued', power: 'stopped', event: true }, 'nothing'],
  ['a resized guest that runs', { vmState: 'resized', event: true }, 'nothing'],
  ['a guest that was suspended from outside', { power: 'suspended', event: true }, 'seenSuspended'],
  ['a guest that was paused from outside', { power: 'paused', event: true }, 'nothing'],
  [
    'a paused guest that was lost with its node',
    { vmState: 'paused', desired: 'paused', power: 'stopped' },
    'seenStopped',
  ],
  ['a paused guest without a domain', { vmState: 'paused', desired: 'paused', power: 'absent' }, 'seenStopped'],
  ['a paused guest that goes on', { vmState: 'paused', desired: 'paused', event: true }, 'seenRunning'],
  [
    'a suspended guest whose memory is lost',
    { vmState: 'suspended', desired: 'suspended', power: 'stopped' },
    'seenStopped',
  ],
  ['a suspended guest', { vmState: 'suspended', desired: 'suspended', power: 'suspended' }, 'nothing'],
  ['a server at which an operation is', { power: 'stopped', taskState: 'powering-on' }, 'nothing'],
  ['a server in error', { vmState: 'error', power: 'stopped' }, 'nothing'],
  ['a stopped server without a domain', { vmState: 'stopped', desired: 'stopped', power: 'absent' }, 'nothing'],
  ['a server of which nothing was said', { power: undefined }, 'nothing'],
  ['a leftover', { vmState: undefined, desired: 'absent', confirmed: false }, 'clear'],
  ['what has left', { vmState: undefined, desired: 'absent', power: 'absent' }, 'nothing'],
] as const)('%s', (_name, more, decision) => {
  expect(decide(standing(more))).toBe(decision);
});
