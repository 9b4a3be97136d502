import { Injectable } from '@nestjs/common';
import { fail, isFailure } from '#libs/kernel';
import { fits } from '#services/compute/domain';
import { Books, Peers } from '../books.js';
import { type Caller, queryOf } from '../foreign-api.js';
import { changesTo, type ForeignImage, isAttribute, metadataOf } from './image.wire.js';

const PATCH = 'application/openstack-images-v2.1-json-patch';

export interface ForeignPage {
  readonly images: readonly ForeignImage[];
  readonly more: boolean;
}

const pathOf = (id: string): string => `/v2/images/${encodeURIComponent(id)}`;

/** The words in which compute speaks of images, whatever the image service said. */
function reworded(error: unknown): never {
  if (isFailure(error, 'notFound')) throw fail.notFound('Image not found.', { cause: error });
  throw error;
}

@Injectable()
export class ImageHandlers {
  constructor(
    private readonly peers: Peers,
    private readonly books: Books,
  ) {}

  async list(caller: Caller, asked: Readonly<Record<string, string | number>>): Promise<ForeignPage> {
    const answer = await this.peers.imageApi.ask(caller, { method: 'GET', path: `/v2/images${queryOf(asked)}` });
    const { images, next } = answer as { images: ForeignImage[]; next?: string };
    return { images, more: next !== undefined };
  }

  async find(caller: Caller, id: string): Promise<ForeignImage> {
    const found = await this.peers.imageApi.ask(caller, { method: 'GET', path: pathOf(id) }).catch(reworded);
    return found as ForeignImage;
  }

  async remove(caller: Caller, id: string): Promise<void> {
    await this.peers.imageApi.ask(caller, { method: 'DELETE', path: pathOf(id) }).catch((error: unknown) => {
      if (isFailure(error, 'forbidden')) throw fail.forbidden('You are not allowed to delete the image.');
      return reworded(error);
    });
  }

  /** Gives the image exactly these properties, which must fit the project's limit. */
  async setMetadata(
    caller: Caller & { readonly who: { readonly projectId: string | undefined } },
    image: ForeignImage,
    wanted: Readonly<Record<string, string>>,
  ): Promise<void> {
    const attribute = Object.keys(wanted).find(isAttribute);
    if (attribute !== undefined) throw fail.forbidden(`Attribute '${attribute}' is not metadata of an image.`);
    const { project } = await this.books.quotas.limits(this.books.db, caller.who.projectId ?? '');
    if (!fits(project.metadata_items, Object.keys(wanted).length))
      throw fail.overQuota('Image metadata limit exceeded.');
    const body = changesTo(metadataOf(image), wanted);
    if (!body.length) return;
    const path = pathOf(image.id);
    await this.peers.imageApi.ask(caller, { method: 'PATCH', path, body, contentType: PATCH }).catch(reworded);
  }
}
