import { op } from '#libs/platform/http';
import { RULES } from '../placement.space.js';
import { AllocationHandlers } from './allocation.handlers.js';
import { AllocationList, AnyAllocations, ManyConsumers, SomeAllocations } from './allocation.wire.js';

const ONE = '/allocations/:consumer';
const put = { method: 'PUT', path: ONE, rule: RULES.updateAllocations, status: 204 } as const;

export const allocationOps = [
  op(AllocationHandlers, {
    method: 'GET',
    path: '/resource_providers/:id/allocations',
    rule: RULES.listProviderAllocations,
    status: 200,
    run: (handlers, call) => handlers.ofProvider(call),
  }),
  op(AllocationHandlers, {
    method: 'POST',
    path: '/allocations',
    since: '1.13',
    rule: RULES.manageAllocations,
    status: 204,
    body: ManyConsumers,
    run: (handlers, call) => handlers.replaceMany(call),
  }),
  op(AllocationHandlers, {
    method: 'GET',
    path: ONE,
    rule: RULES.listAllocations,
    status: 200,
    run: (handlers, call) => handlers.show(call),
  }),
  op(AllocationHandlers, {
    ...put,
    until: '1.11',
    body: AllocationList,
    run: (handlers, call) => handlers.replaceList(call),
  }),
  op(AllocationHandlers, {
    ...put,
    since: '1.12',
    until: '1.27',
    body: SomeAllocations,
    run: (handlers, call) => handlers.replace(call),
  }),
  op(AllocationHandlers, {
    ...put,
    since: '1.28',
    body: AnyAllocations,
    run: (handlers, call) => handlers.replace(call),
  }),
  op(AllocationHandlers, {
    method: 'DELETE',
    path: ONE,
    rule: RULES.deleteAllocations,
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
];
