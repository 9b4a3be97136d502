/** What a provider has of one resource class, and how much of it can be taken. Pure arithmetic; amounts are whole units. */

export interface Inventory {
  readonly total: number;
  readonly reserved: number;
  readonly min_unit: number;
  readonly max_unit: number;
  readonly step_size: number;
  readonly allocation_ratio: number;
}

/** By resource class. */
export type Inventories = Readonly<Record<string, Inventory>>;
/** Units by resource class. */
export type Amounts = Readonly<Record<string, number>>;

export const MAX_INT = 2_147_483_647;

/** How many units can be taken in all: what is left after the reserve, overcommitted by the ratio. */
export function capacityOf(inventory: Inventory): number {
  return Math.floor((inventory.total - inventory.reserved) * inventory.allocation_ratio);
}

/** An inventory with everything that was left out at its default. */
export function withDefaults(given: Partial<Inventory> & { readonly total: number }): Inventory {
  return {
    total: given.total,
    reserved: given.reserved ?? 0,
    min_unit: given.min_unit ?? 1,
    max_unit: given.max_unit ?? MAX_INT,
    step_size: given.step_size ?? 1,
    allocation_ratio: given.allocation_ratio ?? 1,
  };
}

/** Whether the amount is one that may be taken at once, whatever is free. */
export function unitsFit(inventory: Inventory, amount: number): boolean {
  return amount >= inventory.min_unit && amount <= inventory.max_unit && amount % inventory.step_size === 0;
}

/** Whether so much more can be taken of it. */
export function fits(inventory: Inventory | undefined, used: number, amount: number): boolean {
  return inventory !== undefined && unitsFit(inventory, amount) && used + amount <= capacityOf(inventory);
}
