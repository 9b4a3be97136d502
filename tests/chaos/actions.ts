/**
 * What a tenant does with servers, at random: a table, so that a new action is a line. Most often something is asked that
 * fits the server's status, sometimes anything; what does not fit is refused, and that is right.
 */
import { delay } from '#libs/kernel';
import type { Tenant } from './tenant.js';

/** Ids that actions need. */
export interface Things {
  readonly image: string;
  readonly network: string;
  /** Two of one disk size, between which a server is resized. */
  readonly flavors: readonly [string, string];
  readonly prefix: string;
}

export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly [TASK]?: string | null;
}

/** A server that is being deleted may still be shown as ACTIVE: it is final only when no operation is at work on it. */
export const TASK = 'OS-EXT-STS:task_state';

interface Wish {
  readonly server: Listed;
  readonly things: Things;
  readonly random: () => number;
}

export interface ChaosAction {
  readonly name: string;
  /** Statuses that it fits. */
  readonly from: readonly string[];
  readonly body?: (wish: Wish) => object;
  /** Where it is no POST of an action. */
  readonly ask?: (tenant: Tenant, wish: Wish) => Promise<{ status: number; body: unknown }>;
  /** Answers besides 2xx and 409 that are right. */
  readonly also?: readonly number[];
}

const on = (server: Listed, path = ''): string => `/servers/${server.id}${path}`;
const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const plain = (name: string, from: readonly string[]): ChaosAction => ({ name, from, body: () => ({ [name]: null }) });
const IMAGED = ['ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED'];

export const ACTIONS: readonly ChaosAction[] = [
  plain('os-stop', ['ACTIVE', 'ERROR']),
  plain('os-start', ['SHUTOFF']),
  { name: 'reboot', from: ['ACTIVE'], body: () => ({ reboot: { type: 'SOFT' } }) },
  { name: 'reboot --hard', from: [...IMAGED, 'ERROR'], body: () => ({ reboot: { type: 'HARD' } }) },
  plain('pause', ['ACTIVE']),
  plain('unpause', ['PAUSED']),
  plain('suspend', ['ACTIVE']),
  plain('resume', ['SUSPENDED']),
  plain('rescue', ['ACTIVE', 'SHUTOFF']),
  plain('unrescue', ['RESCUE']),
  plain('shelve', IMAGED),
  plain('unshelve', ['SHELVED', 'SHELVED_OFFLOADED']),
  plain('trigger_crash_dump', ['ACTIVE', 'PAUSED', 'RESCUE']),
  // 409: the image has no guest agent.
  { name: 'changePassword', from: ['ACTIVE'], body: () => ({ changePassword: { adminPass: 'chaos' } }) },
  plain('lock', ['ACTIVE']),
  plain('unlock', ['ACTIVE']),
  { name: 'rebuild', from: ['ACTIVE', 'SHUTOFF'], body: ({ things }) => ({ rebuild: { imageRef: things.image } }) },
  {
    ...{ name: 'resize', from: ['ACTIVE', 'SHUTOFF'], also: [400] },
    body: ({ things, random }) => ({ resize: { flavorRef: pick(random, things.flavors) } }),
  },
  plain('confirmResize', ['VERIFY_RESIZE']),
  plain('revertResize', ['VERIFY_RESIZE']),
  { name: 'createImage', from: IMAGED, body: ({ things }) => ({ createImage: { name: `${things.prefix}-image` } }) },
  {
    ...{ name: 'createBackup', from: IMAGED },
    body: ({ things }) => ({ createBackup: { name: `${things.prefix}-backup`, backup_type: 'daily', rotation: 1 } }),
  },
  {
    ...{ name: 'attach an interface', from: ['ACTIVE', 'PAUSED', 'SHUTOFF'] },
    ask: (tenant, { server, things }) =>
      tenant.call('POST', 'compute', on(server, '/os-interface'), {
        interfaceAttachment: { net_id: things.network },
      }),
  },
  {
    ...{ name: 'detach an interface', from: ['ACTIVE', 'PAUSED', 'SHUTOFF'] },
    ask: async (tenant, { server, random }) => {
      const path = on(server, '/os-interface');
      const { status, body } = await tenant.call<{ interfaceAttachments?: { port_id: string }[] }>(
        'GET',
        'compute',
        path,
      );
      const ports = body.interfaceAttachments ?? [];
      if (ports.length < 2) return { status, body };
      return tenant.call('DELETE', 'compute', `${path}/${pick(random, ports).port_id}`);
    },
  },
  {
    ...{ name: 'add an address', from: ['ACTIVE', 'SHUTOFF'], also: [400] },
    body: ({ things }) => ({ addFixedIp: { networkId: things.network } }),
  },
  { name: 'addSecurityGroup', from: IMAGED, also: [400], body: () => ({ addSecurityGroup: { name: 'default' } }) },
  // 404: it was taken away before.
  {
    name: 'removeSecurityGroup',
    from: IMAGED,
    also: [400],
    body: () => ({ removeSecurityGroup: { name: 'default' } }),
  },
  {
    ...{ name: 'rename', from: IMAGED },
    ask: (tenant, { server }) =>
      tenant.call('PUT', 'compute', on(server), { server: { name: `${server.name.replace(/-again$/, '')}-again` } }),
  },
  {
    ...{ name: 'set metadata', from: IMAGED },
    ask: (tenant, { server }) =>
      tenant.call('POST', 'compute', on(server, '/metadata'), { metadata: { chaos: 'yes' } }),
  },
  {
    ...{ name: 'set tags', from: IMAGED },
    ask: (tenant, { server }) => tenant.call('PUT', 'compute', on(server, '/tags'), { tags: ['chaos'] }),
  },
  { name: 'forceDelete', from: ['ERROR', 'SHELVED_OFFLOADED', 'RESCUE'], body: () => ({ forceDelete: null }) },
];

/** One random action. Returns what is wrong with the answer, or nothing. */
export async function act(tenant: Tenant, wish: Wish): Promise<{ name: string; wrong?: string }> {
  const { server, random } = wish;
  const fitting = ACTIONS.filter(({ from }) => from.includes(server.status));
  const action = pick(random, fitting.length && random() < 0.85 ? fitting : ACTIONS);
  const ask = action.ask ?? ((to: Tenant) => to.call('POST', 'compute', on(server, '/action'), action.body!(wish)));
  const { status, body } = await ask(tenant, wish);
  // 404: another has deleted it.
  const right = (status >= 200 && status < 300) || [409, 404, ...(action.also ?? [])].includes(status);
  return right
    ? { name: action.name }
    : { name: action.name, wrong: `${action.name}: ${status} ${JSON.stringify(body)}` };
}

/** Waits a while for the server to come to rest; undefined when it is gone. */
export async function rested(tenant: Tenant, id: string, withinMs: number): Promise<Listed | undefined> {
  for (let waited = 0; ; waited += 200) {
    const { status, body } = await tenant.call<{ server?: Listed }>('GET', 'compute', `/servers/${id}`);
    if (status === 404 || !body.server) return undefined;
    if (isFinal(body.server) || waited >= withinMs) return body.server;
    await delay(200);
  }
}

const PASSING = ['BUILD', 'REBUILD', 'RESIZE', 'REVERT_RESIZE', 'REBOOT', 'HARD_REBOOT', 'PASSWORD', 'DELETED'];
/** Between no two states. */
export const isFinal = (server: Listed): boolean => !PASSING.includes(server.status) && server[TASK] === null;
/** Has a node, and what belongs to it there. */
export const isPlaced = (vmState: string): boolean => vmState !== 'shelved_offloaded';
