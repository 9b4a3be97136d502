/** Inventories on the wire: the same field names as in the domain, with everything but the total left to its default. */
import { type Static, Type } from 'typebox';
import { fail } from '#libs/kernel';
import { mv } from '#libs/wire';
import { type Inventories, type Inventory, MAX_INT, type Provider, withDefaults } from '#services/placement/domain';
import { type AnyCall, ClassName, Generation } from '../values.wire.js';
import { jsonBody } from '../words.wire.js';

const positive = Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_INT }));
const AMOUNTS = {
  total: Type.Integer({ minimum: 1, maximum: MAX_INT }),
  reserved: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_INT })),
  min_unit: positive,
  max_unit: positive,
  step_size: positive,
  allocation_ratio: Type.Optional(Type.Number({ minimum: 0, maximum: 3.40282e38 })),
};
const InventoryBody = Type.Object(AMOUNTS, { additionalProperties: false });
type InventoryBody = Static<typeof InventoryBody>;
/** As it is read alone, with the provider's generation, which guards nothing here. */
const RecordBody = Type.Object(
  { ...AMOUNTS, resource_provider_generation: Type.Optional(Generation) },
  { additionalProperties: false },
);

export const InventoriesBody = Type.Object(
  {
    resource_provider_generation: Generation,
    inventories: Type.Record(ClassName, RecordBody, { additionalProperties: false }),
  },
  { additionalProperties: false },
);
export const AllInventories = jsonBody(InventoriesBody);
export const NewInventory = jsonBody(
  Type.Object(
    { resource_class: ClassName, resource_provider_generation: Type.Optional(Generation), ...AMOUNTS },
    { additionalProperties: false },
  ),
);
export const OneInventory = jsonBody(
  Type.Object({ resource_provider_generation: Generation, ...AMOUNTS }, { additionalProperties: false }),
);

/** From 1.26 on all of an inventory may be reserved. */
export const mayReserveAll = (call: AnyCall): boolean => call.version >= mv('1.26');

/** `fullReserve`: whether all of it may be reserved. */
export function inventoryOf(name: string, id: string, given: InventoryBody, fullReserve: boolean): Inventory {
  const { total, reserved, min_unit, max_unit, step_size, allocation_ratio } = given;
  const inventory = withDefaults(stripped({ total, reserved, min_unit, max_unit, step_size, allocation_ratio }));
  const tooMuch = fullReserve ? inventory.reserved > total : inventory.reserved >= total;
  if (tooMuch) {
    const relation = fullReserve ? 'greater than' : 'greater than or equal to';
    const subject = `Invalid inventory for '${name}' on resource provider '${id}'.`;
    throw fail.invalid(`${subject} The reserved value is ${relation} total.`);
  }
  return inventory;
}

const stripped = <T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } & { total: number } =>
  JSON.parse(JSON.stringify(given)) as { [K in keyof T]: Exclude<T[K], undefined> } & { total: number };

export const inventoriesOf = (
  given: Readonly<Record<string, InventoryBody>>,
  id: string,
  fullReserve: boolean,
): Inventories =>
  Object.fromEntries(Object.entries(given).map(([name, each]) => [name, inventoryOf(name, id, each, fullReserve)]));

export const inventoriesView = (provider: Provider): Record<string, unknown> => ({
  resource_provider_generation: provider.facts.generation,
  inventories: provider.facts.inventories,
});

export const inventoryView = (provider: Provider, inventory: Inventory): Record<string, unknown> => ({
  resource_provider_generation: provider.facts.generation,
  ...inventory,
});
