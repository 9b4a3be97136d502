/** Images and backups of servers. */
import { Type } from 'typebox';
import { type Op, op } from '#libs/platform/http';
import { body } from '#libs/wire';
import { member } from '../compute.rules.js';
import { Metadata, Name, Whole, whole } from '../values.wire.js';
import { imageLink } from './server.wire.js';
import { type BackupAsked, type ImageAsked, ServerImageHandlers } from './server-image.handlers.js';
import { askerOf, loadServer } from './server-target.js';

const path = '/v2.1/servers/:id/action';
const shut = { additionalProperties: false } as const;

const imageBody = body(
  Type.Object({ createImage: Type.Object({ name: Name, metadata: Type.Optional(Metadata) }, shut) }, shut),
);
const backupBody = body(
  Type.Object(
    {
      createBackup: Type.Object(
        { name: Name, backup_type: Type.String(), rotation: Whole, metadata: Type.Optional(Metadata) },
        shut,
      ),
    },
    shut,
  ),
);

/** How the answer names the image, and whether its properties count against a limit of this API. */
const SPANS = [
  { since: '2.1', until: '2.38', counted: true, inBody: false },
  { since: '2.39', until: '2.44', counted: false, inBody: false },
  { since: '2.45', counted: false, inBody: true },
] as const;

/** `shown`: false where the image is deleted as soon as it is whole. */
const answer = (base: string, id: string, inBody: boolean, shown = true) => {
  if (inBody) return { body: { image_id: id } };
  return shown ? { headers: { Location: imageLink(base, id) } } : {};
};

export const serverImageOps: readonly Op[] = SPANS.flatMap(({ counted, inBody, ...span }) => [
  op(ServerImageHandlers, {
    method: 'POST',
    path,
    ...span,
    action: 'createImage',
    rule: member('servers:create_image'),
    status: 202,
    body: imageBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const { name, metadata = {} } = call.body.createImage;
      const asked: ImageAsked = { name, metadata };
      if (counted) await handlers.checkCount(server, asked);
      return answer(call.base, await handlers.createImage(server, asked, askerOf(call)), inBody);
    },
  }),
  op(ServerImageHandlers, {
    method: 'POST',
    path,
    ...span,
    action: 'createBackup',
    rule: member('os-create-backup'),
    status: 202,
    body: backupBody,
    load: (handlers, call) => loadServer(handlers, call),
    run: async (handlers, call, server) => {
      const { name, backup_type: backupType, metadata = {} } = call.body.createBackup;
      const rotation = whole(call.body.createBackup.rotation, 'rotation', 0);
      const asked: BackupAsked = { name, metadata, backupType, rotation };
      if (counted) await handlers.checkCount(server, asked);
      const id = await handlers.createBackup(server, asked, askerOf(call));
      return answer(call.base, id, inBody, rotation > 0);
    },
  }),
]);
