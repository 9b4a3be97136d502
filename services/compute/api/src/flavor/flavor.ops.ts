/** Flavors: the operations. */
import { fail } from '#libs/kernel';
import { type Call, type Op, op } from '#libs/platform/http';
import { ADMIN, everyone, rule } from '#libs/platform/policy';
import { extraSpecTrouble, type Flavor } from '#services/compute/domain';
import { linksToNext, pageOf } from '../paging.wire.js';
import { FlavorHandlers } from './flavor.handlers.js';
import {
  accessBody,
  accessView,
  briefFlavor,
  describeFlavorBody,
  flavorQuery,
  flavorView,
  newFlavor,
  newFlavorBody,
  ownerless,
  specBody,
  specsBody,
  specTexts,
} from './flavor.wire.js';

const READ = rule('os_compute_api:flavors', everyone);
const ANY_FLAVOR = rule('os_compute_api:flavors:all', ADMIN);
const manage = (what: string) => rule(`os_compute_api:os-flavor-manage:${what}`, ADMIN);
const access = (what: string) => rule(`os_compute_api:os-flavor-access${what}`, ADMIN);
const specs = (what: string) => rule(`os_compute_api:os-flavor-extra-specs:${what}`, ADMIN);
const readSpecs = (what: string) => rule(`os_compute_api:os-flavor-extra-specs:${what}`, everyone);

/** Asked for by name. */
export const flavorRules = [ANY_FLAVOR, readSpecs('index')];

type AnyCall = Pick<Call<unknown, unknown>, 'may' | 'params' | 'who'>;

const isAdmin = (call: AnyCall): boolean => call.may(ANY_FLAVOR.name);
const id = (call: AnyCall): string => call.params['id'] ?? '';
const find = (handlers: FlavorHandlers, call: AnyCall): Promise<Flavor> =>
  handlers.find(id(call), isAdmin(call) ? undefined : (call.who.projectId ?? ''));

const lists = (['', '/detail'] as const).map((suffix) =>
  op(FlavorHandlers, {
    method: 'GET',
    path: `/v2.1/flavors${suffix}`,
    rule: READ,
    status: 200,
    query: flavorQuery,
    run: async (handlers, call) => {
      const { rows, limit } = await handlers.list(call as never, isAdmin(call));
      const shown = pageOf(rows, limit);
      const render = suffix ? flavorView : briefFlavor;
      const flavors = shown.page.map((flavor) => render(flavor, ownerless(call)));
      return { body: { flavors, ...linksToNext(call, 'flavors', shown, (flavor) => flavor.id) } };
    },
  }),
);

const management: readonly Op[] = [
  op(FlavorHandlers, {
    method: 'POST',
    path: '/v2.1/flavors',
    rule: manage('create'),
    status: 200,
    body: newFlavorBody,
    run: async (handlers, call) => {
      const flavor = await handlers.create(newFlavor(call.body, handlers.freshId()));
      return { body: { flavor: flavorView(flavor, ownerless(call)) } };
    },
  }),
  op(FlavorHandlers, {
    method: 'GET',
    path: '/v2.1/flavors/:id',
    rule: READ,
    status: 200,
    run: async (handlers, call) => ({ body: { flavor: flavorView(await find(handlers, call), ownerless(call)) } }),
  }),
  op(FlavorHandlers, {
    method: 'PUT',
    path: '/v2.1/flavors/:id',
    since: '2.55',
    rule: manage('update'),
    status: 200,
    body: describeFlavorBody,
    run: async (handlers, call) => {
      const flavor = await handlers.describe(id(call), call.body.flavor.description);
      return { body: { flavor: flavorView(flavor, ownerless(call)) } };
    },
  }),
  op(FlavorHandlers, {
    method: 'DELETE',
    path: '/v2.1/flavors/:id',
    rule: manage('delete'),
    status: 202,
    run: async (handlers, call) => {
      await handlers.remove(id(call));
      return {};
    },
  }),
];

const accessRows: readonly Op[] = [
  op(FlavorHandlers, {
    method: 'GET',
    path: '/v2.1/flavors/:id/os-flavor-access',
    rule: access(''),
    status: 200,
    run: async (handlers, call) => {
      const flavor = await find(handlers, call);
      if (flavor.isPublic) throw fail.notFound('Access list not available for public flavors.');
      return { body: accessView(flavor.id, await handlers.access(flavor.id)) };
    },
  }),
  ...(['2.1', '2.7'] as const).map((since) =>
    op(FlavorHandlers, {
      method: 'POST',
      path: '/v2.1/flavors/:id/action',
      action: 'addTenantAccess',
      since,
      ...(since === '2.1' ? { until: '2.6' } : {}),
      rule: access(':add_tenant_access'),
      status: 200,
      body: accessBody('addTenantAccess'),
      run: async (handlers, call) => {
        const flavor = await find(handlers, call);
        if (since === '2.7' && flavor.isPublic) throw fail.conflict('Can not add access to a public flavor.');
        const projects = await handlers.grant(flavor.id, call.body['addTenantAccess']!.tenant);
        return { body: accessView(flavor.id, projects) };
      },
    }),
  ),
  op(FlavorHandlers, {
    method: 'POST',
    path: '/v2.1/flavors/:id/action',
    action: 'removeTenantAccess',
    rule: access(':remove_tenant_access'),
    status: 200,
    body: accessBody('removeTenantAccess'),
    run: async (handlers, call) => {
      const flavor = await find(handlers, call);
      const projects = await handlers.revoke(flavor.id, call.body['removeTenantAccess']!.tenant);
      return { body: accessView(flavor.id, projects) };
    },
  }),
];

/** From 2.86 on specs of known namespaces must be what they claim to be. */
const SINCE_CHECKED_SPECS = 2_086;
function checkSpecs(specs: Readonly<Record<string, string>>, version: number): void {
  if (version < SINCE_CHECKED_SPECS) return;
  for (const [name, value] of Object.entries(specs)) {
    const trouble = extraSpecTrouble(name, value);
    if (trouble) throw fail.invalid(trouble);
  }
}

const key = (call: AnyCall): string => call.params['key'] ?? '';

const specRows: readonly Op[] = [
  op(FlavorHandlers, {
    method: 'GET',
    path: '/v2.1/flavors/:id/os-extra_specs',
    rule: readSpecs('index'),
    status: 200,
    run: async (handlers, call) => ({ body: { extra_specs: (await find(handlers, call)).extraSpecs } }),
  }),
  op(FlavorHandlers, {
    method: 'POST',
    path: '/v2.1/flavors/:id/os-extra_specs',
    rule: specs('create'),
    status: 200,
    body: specsBody,
    run: async (handlers, call) => {
      const texts = specTexts(call.body.extra_specs);
      checkSpecs(texts, call.version);
      await handlers.setSpecs(id(call), texts);
      return { body: { extra_specs: texts } };
    },
  }),
  op(FlavorHandlers, {
    method: 'GET',
    path: '/v2.1/flavors/:id/os-extra_specs/:key',
    rule: readSpecs('show'),
    status: 200,
    run: async (handlers, call) => {
      const { extraSpecs } = await find(handlers, call);
      if (!Object.hasOwn(extraSpecs, key(call)))
        throw fail.notFound(`Flavor ${id(call)} has no extra specs with key ${key(call)}.`);
      return { body: { [key(call)]: extraSpecs[key(call)] } };
    },
  }),
  op(FlavorHandlers, {
    method: 'PUT',
    path: '/v2.1/flavors/:id/os-extra_specs/:key',
    rule: specs('update'),
    status: 200,
    body: specBody,
    run: async (handlers, call) => {
      const texts = specTexts(call.body);
      if (!Object.hasOwn(texts, key(call))) throw fail.invalid('Request body and URI mismatch');
      checkSpecs(texts, call.version);
      await handlers.setSpecs(id(call), texts);
      return { body: texts };
    },
  }),
  op(FlavorHandlers, {
    method: 'DELETE',
    path: '/v2.1/flavors/:id/os-extra_specs/:key',
    rule: specs('delete'),
    status: 200,
    run: async (handlers, call) => {
      await handlers.unsetSpec(id(call), key(call));
      return {};
    },
  }),
];

export const flavorOps: readonly Op[] = [...lists, ...management, ...accessRows, ...specRows];
