import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { checkTag, tagNotFound } from '#services/network/domain';
import { NetworkParts } from '../parts.js';
import { type AnyCall, revisionOf } from '../scope.js';
import type { TagsBody } from './tag.wire.js';
import { TAGGABLE, type Taggable, type TaggedRow } from './taggable.js';

const tagOf = (call: AnyCall): string => call.params['tag'] ?? '';

@Injectable()
export class TagHandlers {
  private readonly loaders: ReadonlyMap<string, ReturnType<Taggable['loader']>>;

  constructor(private readonly parts: NetworkParts) {
    this.loaders = new Map(TAGGABLE.map(({ collection, loader }) => [collection, loader(parts)]));
  }

  load(collection: string, call: AnyCall): Promise<TaggedRow> {
    return this.loaders.get(collection)!.load(call);
  }

  list({ tags }: TaggedRow): Reply {
    return { body: { tags } };
  }

  confirm(call: AnyCall, { tags }: TaggedRow): Reply {
    if (!tags.includes(tagOf(call))) throw tagNotFound(tagOf(call));
    return {};
  }

  async replace(call: AnyCall, kind: Taggable, row: TaggedRow): Promise<Reply> {
    const { tags } = call.body as TagsBody;
    return { body: { tags: await this.change(call, kind, row, () => tags) } };
  }

  async addSeveral(call: AnyCall, kind: Taggable, row: TaggedRow): Promise<Reply> {
    const { tags } = call.body as TagsBody;
    return { body: { tags: await this.change(call, kind, row, (known) => [...known, ...tags]) } };
  }

  async add(call: AnyCall, kind: Taggable, row: TaggedRow): Promise<Reply> {
    checkTag(tagOf(call));
    await this.change(call, kind, row, (known) => [...known, tagOf(call)]);
    return {};
  }

  async remove(call: AnyCall, kind: Taggable, row: TaggedRow): Promise<Reply> {
    await this.change(call, kind, row, (known) => {
      if (!known.includes(tagOf(call))) throw tagNotFound(tagOf(call));
      return known.filter((tag) => tag !== tagOf(call));
    });
    return {};
  }

  async removeAll(call: AnyCall, kind: Taggable, row: TaggedRow): Promise<Reply> {
    await this.change(call, kind, row, () => []);
    return {};
  }

  private async change(
    call: AnyCall,
    { table, collection }: Taggable,
    { id }: TaggedRow,
    decide: (tags: readonly string[]) => readonly string[],
  ): Promise<readonly string[]> {
    const { tagStore } = this.parts.books;
    const after = await tagStore.change({ table, id }, decide, this.parts.now(), revisionOf(call));
    // Deleted in between: the resource's own look-up words that.
    return after ?? (await this.load(collection, call)).tags;
  }
}
