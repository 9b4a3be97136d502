/** Tags on the wire. */
import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import { attributes } from '../values.wire.js';

const TagsBody = attributes({ tags: Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 1000 }) });
export type TagsBody = Static<typeof TagsBody>;

export const tagsBody = body(TagsBody);
