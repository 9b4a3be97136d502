import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { ROUTER_FIELDS, type RouterDraft, type RouterRevision } from '#services/network/data';
import {
  checkedZones,
  type Route,
  type Router,
  readExtraRoutes,
  routerNotFound,
  withoutRoutes,
  withRoutes,
  zonesAt,
} from '#services/network/domain';
import { routerFlavor } from '../flavor/flavor.handlers.js';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, demand, idOf, itemsOf, mayKnow, ownerOf, revisionOf, scopeOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import { readGateway } from './router.gateway.js';
import { type NewRouterBody, type RouterChangeBody, type RoutesBody, routerView } from './router.wire.js';

/** The router in the path, where the caller may know of it. */
export async function loadRouter({ books }: NetworkParts, call: AnyCall): Promise<Router> {
  const id = idOf(call, routerNotFound);
  const router = await books.routers.find(books.db, id);
  if (!router || !mayKnow(call.who, router.projectId)) throw routerNotFound(id);
  return router;
}

@Injectable()
export class RouterHandlers {
  constructor(private readonly parts: NetworkParts) {}

  load(call: AnyCall): Promise<Router> {
    return loadRouter(this.parts, call);
  }

  async create(call: AnyCall): Promise<Reply> {
    const { items, bulk } = itemsOf<NewRouterBody>(call.body, 'router', 'routers');
    const drafts: RouterDraft[] = [];
    for (const item of items) drafts.push(await this.draft(call, item));
    const made = await this.parts.books.routerStore.create(drafts, this.parts.now());
    const shown = made.map((router) => this.view(router, call));
    return { body: bulk ? { routers: shown } : { router: shown[0] } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, ROUTER_FIELDS);
    const { books } = this.parts;
    const page = await books.routers.list(books.db, request, scopeOf(call.who));
    return { body: listBody('routers', page, request, call, (router) => this.view(router, call)) };
  }

  show(call: AnyCall, router: Router): Reply {
    const { fields } = readList(call.query, ROUTER_FIELDS);
    return { body: { router: pick(this.view(router, call), fields) } };
  }

  async update(call: AnyCall, router: Router): Promise<Reply> {
    const { router: item } = call.body as { router: RouterChangeBody };
    demandRights(call, item, 'update', router);
    const gateway = await readGateway(this.parts, call, item.external_gateway_info, 'update', router);
    const change: RouterRevision = {
      name: item.name,
      description: item.description,
      adminStateUp: isOn(item.admin_state_up),
      distributed: isOn(item.distributed),
      ha: isOn(item.ha),
      routes: item.routes === undefined ? undefined : readExtraRoutes(item.routes ?? []),
      gateway,
    };
    return this.changed(call, router, () => change, gateway);
  }

  addRoutes(call: AnyCall, router: Router): Promise<Reply> {
    const added = routesOf(call);
    return this.changed(call, router, (now) => ({ routes: withRoutes(now.routes, added) }));
  }

  removeRoutes(call: AnyCall, router: Router): Promise<Reply> {
    const removed = routesOf(call);
    return this.changed(call, router, (now) => ({ routes: withoutRoutes(now.routes, removed) }));
  }

  async remove(call: AnyCall, router: Router): Promise<Reply> {
    await this.parts.books.routerStore.delete(router.id, this.parts.now(), revisionOf(call));
    return {};
  }

  private async changed(
    call: AnyCall,
    { id }: Router,
    decide: (router: Router) => RouterRevision,
    gateway?: RouterRevision['gateway'],
  ): Promise<Reply> {
    const { books } = this.parts;
    const after = await books.routerStore.update(id, decide, this.parts.now(), revisionOf(call), gateway);
    return { body: { router: this.view(after, call) } };
  }

  private view(router: Router, call: AnyCall): Record<string, unknown> {
    return routerView(router, zonesAt(this.parts.chassis(), router.gatewayHost), call);
  }

  private async draft(call: AnyCall, item: NewRouterBody): Promise<RouterDraft> {
    const projectId = ownerOf(call, 'create_router', item);
    demandRights(call, item, 'create', { projectId });
    const zoneHints = checkedZones(item.availability_zone_hints ?? [], this.parts.chassis());
    const gateway = await readGateway(this.parts, call, item.external_gateway_info, 'create', {
      projectId,
      gateway: null,
    });
    return {
      id: this.parts.ids.uuid(),
      projectId,
      name: item.name ?? '',
      description: item.description ?? '',
      adminStateUp: isOn(item.admin_state_up) ?? true,
      distributed: isOn(item.distributed) ?? true,
      ha: isOn(item.ha) ?? true,
      zoneHints,
      flavorId: await routerFlavor(this.parts, item.flavor_id),
      gateway: gateway ?? null,
    };
  }
}

const routesOf = (call: AnyCall): Route[] => readExtraRoutes((call.body as { router: RoutesBody }).router.routes);

/** Throws `forbidden` for the first attribute that only an administrator may set. */
function demandRights(
  call: AnyCall,
  item: RouterChangeBody,
  verb: 'create' | 'update',
  target: { readonly projectId: string },
): void {
  if (item.distributed != null) demand(call, `${verb}_router:distributed`, target);
  if (item.ha != null) demand(call, `${verb}_router:ha`, target);
}
