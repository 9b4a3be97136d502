/** The operator's questions: what happened to an image, do rows and files agree, and how is the service. */
import { operatorV1 } from '#libs/contract';
import type { Clock } from '#libs/kernel';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import type { BookImage, BooksRepo, ImageEvent, ImageFiles, StoredFile } from '#services/image/data';
import type { Sweeper } from './sweeper.js';

export interface OperatorParts {
  readonly books: BooksRepo;
  readonly files: ImageFiles;
  readonly sweeper: Sweeper;
  readonly clock: Clock;
  readonly log: Log;
  /** How the gate's program is confined here. */
  readonly confinement: string;
  readonly process: string;
  readonly version: string;
  readonly startedAt: Date;
}

export function operatorBinding(parts: OperatorParts): Binding {
  const trace = async ({ id }: operatorV1.TraceRequest) => ({ events: (await parts.books.events(id)).map(traceEvent) });
  const books = async () => ({ rows: await bookRows(parts) });
  const status = () => statusOf(parts);
  return bind(operatorV1.OperatorService, { trace, books, status }, (peer) => peer === 'cli', parts.log);
}

const traceEvent = (event: ImageEvent): operatorV1.TraceEvent => ({
  atMs: event.at.getTime(),
  service: 'image',
  node: '',
  what: event.what,
  outcome: event.outcome,
  detail: event.detail,
  requestId: event.requestId,
  taskId: '',
  relatedIds: [event.imageId],
});

const row = (kind: string, id: string, state: string, facts: Record<string, string>): operatorV1.BookRow => ({
  kind,
  id,
  serverId: '',
  node: '',
  state,
  facts,
});

/** A file counts for its image only when it is that image's very upload; any other is a file of nothing. */
async function bookRows({ books, files }: OperatorParts): Promise<operatorV1.BookRow[]> {
  const images = await books.images();
  const byId = new Map(images.map((image) => [image.id, image]));
  const stored = await files.list();
  const usage = await books.usage();
  return [
    ...images.map((image) =>
      row('image', image.id, image.status, { owner: image.owner, size: String(image.size ?? '') }),
    ),
    ...stored.map((file) => fileRow(file, byId.get(file.imageId))),
    ...usage.flatMap((used) => [
      row('usage', `${used.projectId}/images`, '', pair(used.images, used.realImages)),
      row('usage', `${used.projectId}/image_bytes`, '', pair(used.bytes, used.realBytes)),
    ]),
  ];
}

const pair = (recorded: number, counted: number) => ({ recorded: String(recorded), counted: String(counted) });

function fileRow(file: StoredFile, image: BookImage | undefined): operatorV1.BookRow {
  const belongs = image?.uploadId === file.uploadId && sizeFits(file, image);
  const id = belongs ? file.imageId : `${file.imageId}.${file.uploadId}`;
  return row('image_file', id, file.folder, { size: String(file.size), upload: file.uploadId });
}

const sizeFits = (file: StoredFile, image: BookImage): boolean =>
  file.folder === 'incoming' || image.size === null || image.size === file.size;

async function statusOf(parts: OperatorParts): Promise<operatorV1.StatusReply> {
  const alive = await parts.books.alive();
  const counts = alive ? await parts.books.counts() : [];
  const last = parts.sweeper.last;
  const broken = last?.damaged.length ?? 0;
  return {
    process: parts.process,
    version: parts.version,
    uptimeMs: parts.clock.now().getTime() - parts.startedAt.getTime(),
    lines: [
      { name: 'database', state: alive ? 'ok' : 'down', detail: '' },
      { name: 'gate', state: 'ok', detail: `confined: ${parts.confinement}` },
      {
        name: 'files',
        state: broken ? 'degraded' : 'ok',
        detail: broken ? `missing or damaged: ${last?.damaged.join(', ')}` : '',
      },
      ...counts.map(({ status, images, bytes }) => ({
        name: `images ${status}`,
        state: 'ok',
        detail: `${images}, ${bytes} bytes`,
      })),
    ],
  };
}
