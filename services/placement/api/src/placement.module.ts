/** The handlers with what they work on, as a Nest module, and every operation of the API. */
import type { DynamicModule } from '@nestjs/common';
import { AggregateHandlers, aggregateOps } from './aggregate/aggregate.ops.js';
import { AllocationHandlers } from './allocation/allocation.handlers.js';
import { allocationOps } from './allocation/allocation.ops.js';
import { CandidateHandlers, candidateOps } from './candidate/candidate.ops.js';
import { InventoryHandlers } from './inventory/inventory.handlers.js';
import { inventoryOps } from './inventory/inventory.ops.js';
import { ProviderHandlers } from './provider/provider.handlers.js';
import { providerOps } from './provider/provider.ops.js';
import { ReshaperHandlers, reshaperOps } from './reshaper/reshaper.ops.js';
import { ResourceClassHandlers, resourceClassOps } from './resource-class/resource-class.ops.js';
import { PlacementStore } from './store.js';
import { TraitHandlers } from './trait/trait.handlers.js';
import { traitOps } from './trait/trait.ops.js';
import { UsageHandlers, usageOps } from './usage/usage.ops.js';
import { VersionHandlers, versionOps } from './version/version.ops.js';

export const placementApiOps = [
  ...versionOps,
  ...providerOps,
  ...inventoryOps,
  ...aggregateOps,
  ...traitOps,
  ...resourceClassOps,
  ...usageOps,
  ...allocationOps,
  ...candidateOps,
  ...reshaperOps,
];

class PlacementModule {}

export const placementModule = (store: PlacementStore): DynamicModule => ({
  module: PlacementModule,
  providers: [
    { provide: PlacementStore, useValue: store },
    VersionHandlers,
    ProviderHandlers,
    InventoryHandlers,
    AggregateHandlers,
    TraitHandlers,
    ResourceClassHandlers,
    UsageHandlers,
    AllocationHandlers,
    CandidateHandlers,
    ReshaperHandlers,
  ],
});
