import { op } from '#libs/platform/http';
import { RULES } from '../placement.space.js';
import { InventoryHandlers } from './inventory.handlers.js';
import { AllInventories, NewInventory, OneInventory } from './inventory.wire.js';

const ALL = '/resource_providers/:id/inventories';
const ONE = `${ALL}/:class`;

export const inventoryOps = [
  op(InventoryHandlers, {
    method: 'GET',
    path: ALL,
    rule: RULES.listInventories,
    status: 200,
    run: (handlers, call) => handlers.list(call),
  }),
  op(InventoryHandlers, {
    method: 'POST',
    path: ALL,
    rule: RULES.createInventory,
    status: 201,
    body: NewInventory,
    run: (handlers, call) => handlers.create(call),
  }),
  op(InventoryHandlers, {
    method: 'PUT',
    path: ALL,
    rule: RULES.updateInventory,
    status: 200,
    body: AllInventories,
    run: (handlers, call) => handlers.replaceAll(call),
  }),
  op(InventoryHandlers, {
    method: 'DELETE',
    path: ALL,
    until: '1.4',
    rule: RULES.deleteInventory,
    status: 405,
    run: (handlers) => handlers.removeNone(),
  }),
  op(InventoryHandlers, {
    method: 'DELETE',
    path: ALL,
    since: '1.5',
    rule: RULES.deleteInventory,
    status: 204,
    run: (handlers, call) => handlers.removeAll(call),
  }),
  op(InventoryHandlers, {
    method: 'GET',
    path: ONE,
    rule: RULES.showInventory,
    status: 200,
    run: (handlers, call) => handlers.show(call),
  }),
  op(InventoryHandlers, {
    method: 'PUT',
    path: ONE,
    rule: RULES.updateInventory,
    status: 200,
    body: OneInventory,
    run: (handlers, call) => handlers.replace(call),
  }),
  op(InventoryHandlers, {
    method: 'DELETE',
    path: ONE,
    rule: RULES.deleteInventory,
    status: 204,
    run: (handlers, call) => handlers.remove(call),
  }),
];
