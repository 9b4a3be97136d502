/** Resource classes: the standard ones, and the operator's own. */
import { Injectable } from '@nestjs/common';
import { Type } from 'typebox';
import { fail } from '#libs/kernel';
import { type Call, op, type Reply } from '#libs/platform/http';
import { RULES } from '../placement.space.js';
import { PlacementStore } from '../store.js';
import { type AnyCall, CustomName, dated, href, located } from '../values.wire.js';
import { jsonBody } from '../words.wire.js';

const Named = jsonBody(Type.Object({ name: CustomName }, { additionalProperties: false }));

@Injectable()
export class ResourceClassHandlers {
  constructor(private readonly store: PlacementStore) {}

  async list(call: AnyCall): Promise<Reply> {
    const names = await this.store.classes.all();
    const headers = dated(call, this.store.means.clock.now());
    return { headers, body: { resource_classes: names.map((name) => classView(call, name)) } };
  }

  async show(call: AnyCall): Promise<Reply> {
    const name = await this.known(call);
    return { headers: dated(call, this.store.means.clock.now()), body: classView(call, name) };
  }

  async create(call: Call<{ name: string }>): Promise<Reply> {
    const { name } = call.body;
    if (!(await this.store.classes.create(name))) {
      throw fail.conflict(`Conflicting resource class already exists: ${name}`);
    }
    return { headers: located(call, `/resource_classes/${name}`) };
  }

  /** Before 1.7: another name for it. */
  async rename(call: Call<{ name: string }>): Promise<Reply> {
    const known = await this.known(call);
    if (!(await this.store.classes.rename(known, call.body.name))) {
      throw fail.invalid(`Cannot update standard resource class ${known}`);
    }
    return { body: classView(call, call.body.name) };
  }

  async ensure(call: AnyCall): Promise<Reply> {
    const name = call.params['name']!;
    const problem = Named.check({ name }, call.version);
    if (problem !== undefined) throw fail.invalid(problem);
    const created = await this.store.classes.create(name);
    return { status: created ? 201 : 204, headers: located(call, `/resource_classes/${name}`) };
  }

  async remove(call: AnyCall): Promise<Reply> {
    await this.store.classes.remove(call.params['name']!);
    return {};
  }

  private async known(call: AnyCall): Promise<string> {
    const name = call.params['name']!;
    if (await this.store.classes.has(name)) return name;
    throw fail.notFound(`No such resource class: ${name.slice(0, 255)}.`);
  }
}

const classView = (call: AnyCall, name: string): Record<string, unknown> => ({
  name,
  links: [{ rel: 'self', href: href(call, `/resource_classes/${name}`) }],
});

const ALL = '/resource_classes';
const ONE = '/resource_classes/:name';

export const resourceClassOps = [
  op(ResourceClassHandlers, {
    method: 'GET',
    path: ALL,
    since: '1.2',
    rule: RULES.listClasses,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(ResourceClassHandlers, {
    method: 'POST',
    path: ALL,
    since: '1.2',
    rule: RULES.createClass,
    status: 201,
    body: Named,
    run: (handlers, call) => handlers.create(call),
  }),
  op(ResourceClassHandlers, {
    method: 'GET',
    path: ONE,
    since: '1.2',
    rule: RULES.showClass,
    status: 200,
    run: (handlers, call) => handlers.show(call),
  }),
  op(ResourceClassHandlers, {
    method: 'PUT',
    path: ONE,
    since: '1.2',
    until: '1.6',
    rule: RULES.updateClass,
    status: 200,
    body: Named,
    run: (handlers, call) => handlers.rename(call),
  }),
  op(ResourceClassHandlers, {
    method: 'PUT',
    path: ONE,
    since: '1.7',
    rule: RULES.updateClass,
    status: 201,
    run: (handlers, call) => handlers.ensure(call),
  }),
  op(ResourceClassHandlers, {
    method: 'DELETE',
    path: ONE,
    since: '1.2',
    rule: RULES.deleteClass,
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
];
