import { Injectable } from '@nestjs/common';
import { fail } from '#libs/kernel';
import type { Call, Reply } from '#libs/platform/http';
import { isCustomName, type ProviderFacts } from '#services/placement/domain';
import { PlacementStore, STALE } from '../store.js';
import { type AnyCall, dated, located } from '../values.wire.js';

export interface TraitQuery {
  readonly name?: string;
  readonly associated?: string;
}

@Injectable()
export class TraitHandlers {
  constructor(private readonly store: PlacementStore) {}

  async list(call: Call<undefined, TraitQuery>): Promise<Reply> {
    const { name, associated } = call.query;
    let names = (await this.store.traits.all()).filter(nameFilter(name));
    if (associated !== undefined) {
      const used = new Set((await this.store.snapshot()).all().flatMap((provider) => provider.facts.traits));
      const wanted = associatedValue(associated);
      names = names.filter((each) => used.has(each) === wanted);
    }
    return { headers: dated(call, this.store.means.clock.now()), body: { traits: names } };
  }

  async show(call: AnyCall): Promise<Reply> {
    const name = call.params['name']!;
    if (!(await this.store.traits.has(name))) throw fail.notFound(`No such trait(s): ${name.slice(0, 255)}.`);
    return { headers: dated(call, this.store.means.clock.now()) };
  }

  async ensure(call: AnyCall): Promise<Reply> {
    const name = call.params['name']!;
    if (!isCustomName(name)) {
      throw fail.invalid(
        'The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix "CUSTOM_" and use following characters: "A"-"Z", "0"-"9" and "_"',
      );
    }
    const created = await this.store.traits.create(name);
    const headers = { ...located(call, `/traits/${name}`), ...dated(call, this.store.means.clock.now()) };
    return { status: created ? 201 : 204, headers };
  }

  async remove(call: AnyCall): Promise<Reply> {
    await this.store.traits.remove(call.params['name']!);
    return {};
  }

  async ofProvider(call: AnyCall): Promise<Reply> {
    return traitsReply(call, (await this.store.provider(call.params['id']!)).facts);
  }

  async replace(call: Call<{ traits: string[]; resource_provider_generation: number }>): Promise<Reply> {
    const { id } = await this.store.provider(call.params['id']!);
    await this.store.checkTraits(call.body.traits, 'No such trait ', '');
    const generation = call.body.resource_provider_generation;
    const traits = [...new Set(call.body.traits)].sort();
    return traitsReply(call, await this.store.providers.change(id, generation, { traits, stale: STALE }));
  }

  async clear(call: AnyCall): Promise<Reply> {
    const { id } = await this.store.provider(call.params['id']!);
    await this.store.providers.change(id, undefined, { traits: [] });
    return {};
  }
}

const traitsReply = (call: AnyCall, facts: ProviderFacts): Reply => ({
  headers: dated(call, facts.updatedAt),
  body: { traits: facts.traits, resource_provider_generation: facts.generation },
});

/** `in:A,B` or `startswith:PREFIX`. */
function nameFilter(text: string | undefined): (name: string) => boolean {
  if (text === undefined) return () => true;
  const [, how, what = ''] = /^(in|startswith):(.*)$/s.exec(text) ?? [];
  if (how === 'startswith') return (name) => name.startsWith(what);
  if (how !== 'in') {
    throw fail.invalid(
      `Badly formatted name parameter. Expected name query string parameter in form: ?name=[in|startswith]:[name1,name2|prefix]. Got: "${text.slice(0, 255)}"`,
    );
  }
  const names = new Set(what.split(','));
  return (name) => names.has(name);
}

function associatedValue(text: string): boolean {
  const value = text.toLowerCase();
  if (value !== 'true' && value !== 'false') {
    throw fail.invalid('The query parameter "associated" only accepts "true" or "false"');
  }
  return value === 'true';
}
