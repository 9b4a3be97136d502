import { type Static, Type } from 'typebox';
import { body } from '#libs/wire';
import type { TagFilters } from '#services/identity/data';
import { LONGEST, type Project } from '#services/identity/domain';
import {
  type AnyCall,
  first,
  Immutable,
  MaybeId,
  MaybeText,
  nameOf,
  type Query,
  selfLink,
  wrapped,
} from '../resource.js';

const Tags = Type.Array(Type.String({ minLength: 1, maxLength: LONGEST.tag }), { maxItems: 80 });

const fields = {
  description: Type.Optional(MaybeText),
  enabled: Type.Optional(Type.Boolean()),
  domain_id: Type.Optional(MaybeId),
  parent_id: Type.Optional(MaybeId),
  is_domain: Type.Optional(Type.Boolean()),
  tags: Type.Optional(Tags),
  options: Type.Optional(Immutable),
};

const ProjectCreate = wrapped('project', Type.Object({ name: nameOf(LONGEST.project), ...fields }));
const ProjectUpdate = wrapped('project', Type.Object({ name: Type.Optional(nameOf(LONGEST.project)), ...fields }));
const ProjectTags = Type.Object({ tags: Tags });

export type ProjectCreate = Static<typeof ProjectCreate>;
export type ProjectUpdate = Static<typeof ProjectUpdate>;
export type ProjectTags = Static<typeof ProjectTags>;
export const projectCreate = body(ProjectCreate);
export const projectUpdate = body(ProjectUpdate);
export const projectTags = body(ProjectTags);

/** Fields of the body that are ours. */
export const PROJECT_FIELDS = ['name', ...Object.keys(fields)];

export const viewProject = (project: Project, call: AnyCall) => ({
  ...project.extra,
  id: project.id,
  name: project.name,
  domain_id: project.domainId ?? null,
  description: project.description,
  enabled: project.enabled,
  parent_id: project.parentId ?? null,
  is_domain: project.isDomain,
  tags: project.tags,
  options: project.options,
  links: selfLink(call, `projects/${project.id}`),
});

const list = (query: Query, name: string): readonly string[] | undefined =>
  first(query[name])
    ?.split(',')
    .filter((tag) => tag !== '');

export const tagFilters = (query: Query): TagFilters => ({
  all: list(query, 'tags'),
  any: list(query, 'tags-any'),
  notAll: list(query, 'not-tags'),
  notAny: list(query, 'not-tags-any'),
});
