/**
 * Volumes and their snapshots by way of compute, up to 2.35, and snapshots that a volume service asks of compute. This cloud
 * has no volume service: there are none to be shown, and none can be made.
 */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Op, op } from '#libs/platform/http';
import type { Rule } from '#libs/platform/policy';
import { body } from '#libs/wire';
import { admin, member, reader } from '../compute.rules.js';
import { last, looseQuery, Many } from '../paging.wire.js';

@Injectable()
export class VolumeHandlers {}

interface Kind {
  readonly path: string;
  readonly plural: string;
  readonly single: string;
  /** The policy rule of an operation. */
  rule(what: 'list' | 'detail' | 'create' | 'show' | 'delete'): Rule;
}

const READS = ['list', 'detail', 'show'];
const named =
  (infix: string) =>
  (what: string): Rule =>
    (READS.includes(what) ? reader : member)(`os-volumes:${infix}${what}`);

const KINDS: readonly Kind[] = [
  { path: '/v2.1/os-volumes', plural: 'volumes', single: 'Volume', rule: named('') },
  { path: '/v2.1/os-snapshots', plural: 'snapshots', single: 'Snapshot', rule: named('snapshots:') },
];

const UNTIL = { until: '2.35' } as const;

const proxies = ({ path, plural, single, rule }: Kind): readonly Op[] => [
  ...(['', '/detail'] as const).map((suffix) =>
    op(VolumeHandlers, {
      method: 'GET',
      path: path + suffix,
      ...UNTIL,
      rule: rule(suffix ? 'detail' : 'list'),
      status: 200,
      run: () => ({ body: { [plural]: [] } }),
    }),
  ),
  op(VolumeHandlers, {
    method: 'POST',
    path,
    ...UNTIL,
    rule: rule('create'),
    status: 200,
    run: () => {
      throw fail.invalid('This cloud has no volume service.');
    },
  }),
  ...(['GET', 'DELETE'] as const).map((method) =>
    op(VolumeHandlers, {
      method,
      path: `${path}/:id`,
      ...UNTIL,
      rule: rule(method === 'GET' ? 'show' : 'delete'),
      status: method === 'GET' ? 200 : 202,
      run: (_handlers, call) => {
        throw fail.notFound(`${single} ${(call.params['id'] ?? '').slice(0, 64)} could not be found.`);
      },
    }),
  ),
];

const shut = { additionalProperties: false } as const;
const Word = Type.String({ minLength: 1, maxLength: 255 });
const assistedBody = body(
  Type.Object(
    {
      snapshot: Type.Object(
        {
          volume_id: Word,
          create_info: Type.Object(
            { snapshot_id: Word, type: Type.Literal('qcow2'), new_file: Word, id: Type.Optional(Word) },
            shut,
          ),
        },
        shut,
      ),
    },
    shut,
  ),
);

const attachedNowhere = (volume: string) =>
  fail.invalid(`No volume Block Device Mapping with id ${volume.slice(0, 64)}.`);

/** The volume that a deletion names, in JSON within the query. Throws `invalid`. */
function volumeIn(text: string | undefined): string {
  try {
    const info: unknown = JSON.parse(text ?? '');
    const volume = typeof info === 'object' && info !== null ? (info as { volume_id?: unknown }).volume_id : undefined;
    if (typeof volume === 'string') return volume;
  } catch {
    // What is no JSON names no volume either.
  }
  throw fail.invalid("'delete_info' must be JSON that names the volume_id.");
}

const assisted: readonly Op[] = [
  op(VolumeHandlers, {
    method: 'POST',
    path: '/v2.1/os-assisted-volume-snapshots',
    rule: admin('os-assisted-volume-snapshots:create'),
    status: 200,
    body: assistedBody,
    run: (_handlers, call) => {
      throw attachedNowhere(call.body.snapshot.volume_id);
    },
  }),
  op(VolumeHandlers, {
    method: 'DELETE',
    path: '/v2.1/os-assisted-volume-snapshots/:id',
    rule: admin('os-assisted-volume-snapshots:delete'),
    status: 204,
    query: looseQuery({ delete_info: Many }),
    run: (_handlers, call) => {
      throw attachedNowhere(volumeIn(last(call.query.delete_info)));
    },
  }),
];

export const volumeOps: readonly Op[] = [...KINDS.flatMap(proxies), ...assisted];
