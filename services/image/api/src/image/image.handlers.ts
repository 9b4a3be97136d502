/** Registering, showing, editing and deleting images; everything but their bytes. */
import { Injectable } from '@nestjs/common';
import { fail, type Ids } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import type { Target } from '#libs/platform/policy';
import { ImageFiles, ImageRepo, type StoredImage } from '#services/image/data';
import {
  applyPatch,
  type Editable,
  type Image,
  isTag,
  MAX_TAGS,
  planCreation,
  readImageQuery,
  readPatch,
} from '#services/image/domain';
import { ImageSettings } from '../settings.js';
import { imageBody, imagesBody } from './image.wire.js';

/** Where new ids come from, as a provider. */
export class IdSource {
  constructor(readonly ids: Ids) {}
}

type Query = Record<string, string | string[] | undefined>;
export type AnyCall = Call<unknown, Query>;
/** The image a call is about, as policy sees it. */
export type ImageTarget = StoredImage & Target & { readonly memberId: string | undefined };

const EDIT_TRIES = 5;

@Injectable()
export class ImageHandlers {
  constructor(
    private readonly images: ImageRepo,
    private readonly files: ImageFiles,
    private readonly settings: ImageSettings,
    private readonly source: IdSource,
  ) {}

  /** The image of the path, with its owner as the policy's target. */
  async find(call: AnyCall): Promise<ImageTarget> {
    const { projectId } = call.who;
    const image = await this.images.get(call.params['id'] ?? '', projectId);
    return { ...image, projectId: image.owner, memberId: image.isMember ? projectId : undefined };
  }

  async create(call: AnyCall): Promise<Reply> {
    const owner = call.who.projectId ?? '';
    const image = planCreation(call.body, { id: this.source.ids.uuid(), owner });
    if (!image.owner) throw fail.invalid('A token scoped to a project, or an owner, is needed.');
    if (!call.may('add_image', { projectId: image.owner }))
      throw fail.forbidden('You are not permitted to create images owned by another project.');
    this.checkVisibility(call, undefined, image);
    const created = await this.images.create(image, this.settings.limits);
    return { body: imageBody(created), headers: { Location: `${call.base}/v2/images/${created.id}` } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const query = readImageQuery(call.query);
    const viewer = { projectId: call.who.projectId ?? '', all: call.may('context_is_admin') };
    const { images, more } = await this.images.list(query, viewer);
    return { body: imagesBody(images, call.url, more) };
  }

  show(image: StoredImage): Reply {
    return { body: imageBody(image) };
  }

  /** Applies the patch to the image as it is; again on the newer image where another edit came between. */
  async update(call: AnyCall, found: StoredImage): Promise<Reply> {
    const type = call.headers['content-type'];
    const changes = readPatch(Array.isArray(type) ? type[0] : type, call.body);
    let image: StoredImage = found;
    for (let tries = 0; tries < EDIT_TRIES; tries += 1) {
      const edit = applyPatch(image, changes);
      if (edit.owner !== image.owner && !call.may('context_is_admin'))
        throw fail.forbidden("Owner can't be updated by non admin.");
      this.checkVisibility(call, image, edit);
      const edited = await this.images.edit(image, edit);
      if (edited) return { body: imageBody(edited) };
      image = await this.images.get(image.id, call.who.projectId);
    }
    throw fail.conflict('The image is being changed by others; try again.');
  }

  private checkVisibility(call: AnyCall, before: Image | undefined, after: Editable): void {
    if (before?.visibility === after.visibility) return;
    const target = { projectId: after.owner };
    if (after.visibility === 'public' && !call.may('publicize_image', target))
      throw fail.forbidden("Policy doesn't allow publicize_image to be performed.");
    if (after.visibility === 'community' && !call.may('communitize_image', target))
      throw fail.forbidden("Policy doesn't allow communitize_image to be performed.");
  }

  /** The row goes first; what remains of the file after a crash is the sweeper's. */
  async delete(image: StoredImage): Promise<Reply> {
    const { uploadId } = await this.images.delete(image.id);
    if (uploadId) await this.files.remove({ imageId: image.id, uploadId });
    return {};
  }

  async switch(action: 'deactivate' | 'reactivate', image: StoredImage): Promise<Reply> {
    await this.images.switch(action, image);
    return {};
  }

  async addTag(call: AnyCall, image: StoredImage): Promise<Reply> {
    const tag = call.params['tag'] ?? '';
    if (!isTag(tag)) throw fail.invalid('A tag must have between 1 and 255 characters.');
    const added = await this.images.setTag(image.id, tag, true, MAX_TAGS);
    if (!added && !image.tags.includes(tag) && image.tags.length >= MAX_TAGS)
      throw fail.tooLarge(`The limit has been exceeded on the number of allowed image tags. Maximum: ${MAX_TAGS}`);
    return {};
  }

  async removeTag(call: AnyCall, image: StoredImage): Promise<Reply> {
    const tag = call.params['tag'] ?? '';
    if (!isTag(tag) || !(await this.images.setTag(image.id, tag, false, MAX_TAGS)))
      throw fail.notFound(`Image ${image.id} does not have the tag.`);
    return {};
  }
}
