import { op } from '#libs/platform/http';
import type { Router } from '#services/network/domain';
import { R } from '../rules.js';
import type { AnyCall } from '../scope.js';
import { RouterHandlers } from './router.handlers.js';
import { createRouterBody, interfaceBody, routesBody, updateRouterBody } from './router.wire.js';
import { RouterInterfaceHandlers } from './router-interface.handlers.js';

const load = (handlers: RouterHandlers, call: AnyCall): Promise<Router> => handlers.load(call);
const loadFor = (handlers: RouterInterfaceHandlers, call: AnyCall): Promise<Router> => handlers.load(call);

export const routerOps = [
  op(RouterHandlers, {
    method: 'POST',
    path: '/v2.0/routers',
    rule: R.createRouter,
    status: 201,
    body: createRouterBody,
    run: (handlers, call) => handlers.create(call),
  }),
  op(RouterHandlers, {
    method: 'GET',
    path: '/v2.0/routers',
    rule: R.getRouter,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(RouterHandlers, {
    method: 'GET',
    path: '/v2.0/routers/:id',
    rule: R.getRouter,
    status: 200,
    load,
    run: (handlers, call, router) => handlers.show(call, router),
  }),
  op(RouterHandlers, {
    method: 'PUT',
    path: '/v2.0/routers/:id',
    rule: R.updateRouter,
    status: 200,
    body: updateRouterBody,
    load,
    run: (handlers, call, router) => handlers.update(call, router),
  }),
  op(RouterHandlers, {
    method: 'DELETE',
    path: '/v2.0/routers/:id',
    rule: R.deleteRouter,
    status: 204,
    load,
    run: (handlers, call, router) => handlers.remove(call, router),
  }),
  op(RouterInterfaceHandlers, {
    method: 'PUT',
    path: '/v2.0/routers/:id/add_router_interface',
    rule: R.addRouterInterface,
    status: 200,
    body: interfaceBody,
    load: loadFor,
    run: (handlers, call, router) => handlers.add(call, router),
  }),
  op(RouterInterfaceHandlers, {
    method: 'PUT',
    path: '/v2.0/routers/:id/remove_router_interface',
    rule: R.removeRouterInterface,
    status: 200,
    body: interfaceBody,
    load: loadFor,
    run: (handlers, call, router) => handlers.remove(call, router),
  }),
  op(RouterHandlers, {
    method: 'PUT',
    path: '/v2.0/routers/:id/add_extraroutes',
    rule: R.addExtraRoutes,
    status: 200,
    body: routesBody,
    load,
    run: (handlers, call, router) => handlers.addRoutes(call, router),
  }),
  op(RouterHandlers, {
    method: 'PUT',
    path: '/v2.0/routers/:id/remove_extraroutes',
    rule: R.removeExtraRoutes,
    status: 200,
    body: routesBody,
    load,
    run: (handlers, call, router) => handlers.removeRoutes(call, router),
  }),
];
