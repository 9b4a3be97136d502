/** Volumes on servers. No volume exists, so none is attached, and none that is named can be found. */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Call, type Op, op } from '#libs/platform/http';
import { body, during } from '#libs/wire';
import type { Server } from '#services/compute/domain';
import { member, reader } from '../compute.rules.js';
import { looseQuery } from '../paging.wire.js';
import { refuseLocked, ServerHandlers } from '../server/server.handlers.js';
import { askerOf, loadServer } from '../server/server-target.js';
import { Truth } from '../values.wire.js';

@Injectable()
export class VolumeAttachmentHandlers {
  constructor(private readonly servers: ServerHandlers) {}

  find(...args: Parameters<ServerHandlers['find']>): Promise<Server> {
    return this.servers.find(...args);
  }
}

const path = '/v2.1/servers/:id/os-volume_attachments';
const natural = Type.Optional(Type.Array(Type.Integer({ minimum: 0 })));

const shut = { additionalProperties: false } as const;
const UUID = '^[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$';
const attachment = {
  volumeId: Type.String({ pattern: UUID }),
  device: Type.Optional(
    Type.Union([Type.String({ maxLength: 255, pattern: '^(?:/dev/)?[a-zA-Z0-9]+$' }), Type.Null()]),
  ),
};
const OnTermination = Type.Optional(Type.Unsafe<boolean | string>({ ...Truth, ...during({ since: '2.79' }) }));
const attachBody = body(
  Type.Object(
    {
      volumeAttachment: Type.Object(
        {
          ...attachment,
          tag: Type.Optional(
            Type.String({ minLength: 1, maxLength: 60, pattern: '^[^,/]*$', ...during({ since: '2.49' }) }),
          ),
          delete_on_termination: OnTermination,
        },
        shut,
      ),
    },
    shut,
  ),
);
const changeBody = body(
  Type.Object({
    volumeAttachment: Type.Object({ volumeId: attachment.volumeId }),
  }),
);

const volumeIn = (call: Pick<Call<unknown, unknown>, 'params'>): string => (call.params['volume'] ?? '').slice(0, 64);
const noVolume = (id: string) => fail.notFound(`Volume ${id} could not be found.`);
const notAttached = (server: Server, volume: string) =>
  fail.notFound(`Instance ${server.id} is not attached to volume ${volume}`);

const reads: readonly Op[] = [
  op(VolumeAttachmentHandlers, {
    method: 'GET',
    path,
    rule: reader('os-volumes-attachments:index'),
    status: 200,
    query: looseQuery({ limit: natural, offset: natural }),
    load: (handlers, call) => loadServer(handlers, call),
    run: () => ({ body: { volumeAttachments: [] } }),
  }),
  op(VolumeAttachmentHandlers, {
    method: 'GET',
    path: `${path}/:volume`,
    rule: reader('os-volumes-attachments:show'),
    status: 200,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, call, server) => {
      throw notAttached(server, volumeIn(call));
    },
  }),
];

const changes: readonly Op[] = [
  op(VolumeAttachmentHandlers, {
    method: 'POST',
    path,
    rule: member('os-volumes-attachments:create'),
    status: 200,
    body: attachBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, call, server) => {
      refuseLocked(server, askerOf(call));
      throw noVolume(call.body.volumeAttachment.volumeId);
    },
  }),
  op(VolumeAttachmentHandlers, {
    method: 'PUT',
    path: `${path}/:volume`,
    rule: member('os-volumes-attachments:update'),
    status: 202,
    body: changeBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, call, server) => {
      refuseLocked(server, askerOf(call));
      throw noVolume(volumeIn(call));
    },
  }),
  op(VolumeAttachmentHandlers, {
    method: 'DELETE',
    path: `${path}/:volume`,
    rule: member('os-volumes-attachments:delete'),
    status: 202,
    load: (handlers, call) => loadServer(handlers, call),
    run: (_handlers, call, server) => {
      refuseLocked(server, askerOf(call));
      throw noVolume(volumeIn(call));
    },
  }),
];

export const volumeAttachmentOps: readonly Op[] = [...reads, ...changes];
