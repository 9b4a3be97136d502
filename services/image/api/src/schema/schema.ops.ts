import { Injectable } from '@nestjs/common';
import { op, type Reply } from '#libs/platform/http';
import { RULES } from '../image/image.rules.js';
import { SCHEMAS } from './schema.wire.js';

@Injectable()
export class SchemaHandlers {
  show(name: string): Reply {
    return { body: SCHEMAS[name] };
  }
}

export const schemaOps = Object.keys(SCHEMAS).map((name) =>
  op(SchemaHandlers, {
    method: 'GET',
    path: `/v2/schemas/${name}`,
    rule: RULES.reader,
    status: 200,
    run: (handlers) => handlers.show(name),
  }),
);
