import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { Projects } from '#services/identity/data';
import { checkTags, type Project } from '#services/identity/domain';
import { extraOf, filtersOf, isSet, listReply, type Query } from '../resource.js';
import { Settings } from '../settings.js';
import {
  PROJECT_FIELDS,
  type ProjectCreate,
  type ProjectTags,
  type ProjectUpdate,
  tagFilters,
  viewProject,
} from './project.wire.js';

const FILTERS = {
  name: 'text',
  domain_id: 'text',
  parent_id: 'text',
  enabled: 'boolean',
  is_domain: 'boolean',
} as const;

@Injectable()
export class ProjectHandlers {
  constructor(
    private readonly projects: Projects,
    private readonly settings: Settings,
  ) {}

  /** Domains are projects too, but show among them only when they are asked for. */
  async list(call: Call<undefined, Query>): Promise<Reply> {
    const filters = filtersOf(call.query, FILTERS);
    if (!filters.some((filter) => filter.field === 'is_domain'))
      filters.push({ field: 'is_domain', match: 'equals', value: false });
    return this.#answer(call, await this.projects.list(filters, tagFilters(call.query)));
  }

  async listOfUser(call: Call<undefined, Query>): Promise<Reply> {
    return this.#answer(call, await this.projects.reachable(call.params['user_id']!, 'project', false));
  }

  async show(call: Call<undefined, Query>): Promise<Reply> {
    const project = await this.projects.find(call.params['project_id']!);
    const view = viewProject(project, call);
    return { body: { project: { ...view, ...(await this.#family(project, call)) } } };
  }

  async create(call: Call<ProjectCreate, Query>): Promise<Reply> {
    const given = call.body.project;
    checkTags(given.tags ?? []);
    const isDomain = given.is_domain === true;
    if (isDomain && given.parent_id) throw fail.invalid('A project that acts as a domain has no parent.');
    const parentId = given.parent_id ?? undefined;
    const domainId = isDomain ? undefined : (given.domain_id ?? (await this.#domainOf(call, parentId)));
    const project = await this.projects.create({
      id: this.settings.ids.hex(),
      name: given.name,
      domainId,
      parentId: isDomain ? undefined : (parentId ?? domainId),
      isDomain,
      enabled: given.enabled ?? true,
      description: given.description ?? '',
      tags: given.tags ?? [],
      options: immutable(given.options),
      extra: extraOf(given, PROJECT_FIELDS) ?? {},
    });
    return { body: { project: viewProject(project, call) } };
  }

  async update(call: Call<ProjectUpdate, Query>): Promise<Reply> {
    const id = call.params['project_id']!;
    const given = call.body.project;
    if (given.tags) checkTags(given.tags);
    const before = await this.projects.find(id);
    refuseMove(given, before);
    const project = await this.projects.update(id, {
      name: given.name,
      description: given.description === null ? '' : given.description,
      enabled: given.enabled,
      tags: given.tags,
      options: given.options && immutable(given.options),
      extra: extraOf(given, PROJECT_FIELDS),
    });
    return { body: { project: viewProject(project, call) } };
  }

  async remove(call: Call<undefined, Query>): Promise<Reply> {
    await this.projects.remove(call.params['project_id']!);
    return {};
  }

  async listTags(call: Call<undefined, Query>): Promise<Reply> {
    const { tags } = await this.projects.find(call.params['project_id']!);
    return { body: { tags, links: { next: null, previous: null, self: `${call.base}${call.url}` } } };
  }

  async replaceTags(call: Call<ProjectTags, Query>): Promise<Reply> {
    checkTags(call.body.tags);
    const { tags } = await this.projects.update(call.params['project_id']!, { tags: call.body.tags });
    return { body: { tags, links: { next: null, previous: null, self: `${call.base}${call.url}` } } };
  }

  async removeTags(call: Call<undefined, Query>): Promise<Reply> {
    await this.projects.update(call.params['project_id']!, { tags: [] });
    return {};
  }

  async checkTag(call: Call<undefined, Query>): Promise<Reply> {
    const { tags } = await this.projects.find(call.params['project_id']!);
    if (!tags.includes(call.params['tag']!)) throw noTag(call.params['tag']!);
    return {};
  }

  async addTag(call: Call<undefined, Query>): Promise<Reply> {
    const id = call.params['project_id']!;
    const { tags } = await this.projects.find(id);
    const all = [...new Set([...tags, call.params['tag']!])];
    checkTags(all);
    await this.projects.update(id, { tags: all });
    return { headers: { Location: `${call.base}${call.url}` } };
  }

  async removeTag(call: Call<undefined, Query>): Promise<Reply> {
    const id = call.params['project_id']!;
    const tag = call.params['tag']!;
    const { tags } = await this.projects.find(id);
    if (!tags.includes(tag)) throw noTag(tag);
    await this.projects.update(id, { tags: tags.filter((known) => known !== tag) });
    return {};
  }

  #answer(call: Call<undefined, Query>, projects: readonly Project[]): Reply {
    return listReply(
      call,
      'projects',
      projects.map((project) => viewProject(project, call)),
    );
  }

  /** Where neither says which: the parent's domain, else that of the token. */
  async #domainOf(call: Call<unknown, unknown>, parentId: string | undefined): Promise<string> {
    if (parentId !== undefined) {
      const parent = await this.projects.find(parentId);
      return parent.domainId ?? parent.id;
    }
    const { who } = call;
    return who.domainId ?? who.projectDomainId ?? who.userDomainId;
  }

  /** `?parents_as_list`, `?subtree_as_ids` and the like. */
  async #family(project: Project, call: Call<undefined, Query>): Promise<Record<string, unknown>> {
    const family: Record<string, unknown> = {};
    const asList = (members: readonly Project[]) => members.map((member) => ({ project: viewProject(member, call) }));
    if (isSet(call.query, 'parents_as_list')) family['parents'] = asList(await this.projects.parents(project));
    if (isSet(call.query, 'parents_as_ids')) family['parents'] = nestedParents(project);
    if (isSet(call.query, 'subtree_as_list')) family['subtree'] = asList(await this.projects.subtree(project));
    if (isSet(call.query, 'subtree_as_ids'))
      family['subtree'] = nestedSubtree(project.id, await this.projects.subtree(project));
    return family;
  }
}

const noTag = (tag: string) => fail.notFound(`Could not find project tag: ${tag}.`);

export const immutable = (options: { immutable?: boolean | null } | undefined): { immutable?: boolean } =>
  options?.immutable === undefined ? {} : { immutable: options.immutable === true };

function refuseMove(given: ProjectUpdate['project'], before: Project): void {
  if (given.domain_id !== undefined && (given.domain_id ?? undefined) !== before.domainId)
    throw fail.invalid('The domain of a project can not be changed.');
  if (given.parent_id !== undefined && (given.parent_id ?? undefined) !== before.parentId)
    throw fail.forbidden('The parent of a project can not be changed.');
  if (given.is_domain !== undefined && given.is_domain !== before.isDomain)
    throw fail.invalid('Whether a project acts as a domain can not be changed.');
}

type Nested = { [id: string]: Nested | null };

const nestedParents = (project: Project): Nested | null =>
  project.ancestors.reduce<Nested | null>((above, id) => ({ [id]: above }), null);

function nestedSubtree(id: string, below: readonly Project[]): Nested | null {
  const children = below.filter((project) => project.parentId === id);
  if (!children.length) return null;
  return Object.fromEntries(children.map((child) => [child.id, nestedSubtree(child.id, below)]));
}
