/** The versions of the Placement API that are wholly true here, and the rules of who may do what. */
import { ADMIN, any, PROJECT_READER, role, rule } from '#libs/platform/policy';

export const PLACEMENT_SPACE = {
  serviceType: 'placement',
  min: '1.0',
  max: '1.39',
  malformed: (asked: string) => `invalid version string: ${asked.slice(0, 100)}`,
  unsupported: (asked: string) => `Unacceptable version header: ${asked.slice(0, 100)}`,
} as const;

/** Other services keep the books here, so their role may do what an administrator may. */
const admin = (name: string) => rule(`placement:${name}`, any(ADMIN, role('service')));

export const RULES = {
  listProviders: admin('resource_providers:list'),
  createProvider: admin('resource_providers:create'),
  showProvider: admin('resource_providers:show'),
  updateProvider: admin('resource_providers:update'),
  deleteProvider: admin('resource_providers:delete'),
  listInventories: admin('resource_providers:inventories:list'),
  createInventory: admin('resource_providers:inventories:create'),
  showInventory: admin('resource_providers:inventories:show'),
  updateInventory: admin('resource_providers:inventories:update'),
  deleteInventory: admin('resource_providers:inventories:delete'),
  listAggregates: admin('resource_providers:aggregates:list'),
  updateAggregates: admin('resource_providers:aggregates:update'),
  providerUsages: admin('resource_providers:usages'),
  usages: rule('placement:usages', any(PROJECT_READER, role('service'))),
  listTraits: admin('traits:list'),
  showTrait: admin('traits:show'),
  updateTrait: admin('traits:update'),
  deleteTrait: admin('traits:delete'),
  listProviderTraits: admin('resource_providers:traits:list'),
  updateProviderTraits: admin('resource_providers:traits:update'),
  deleteProviderTraits: admin('resource_providers:traits:delete'),
  listClasses: admin('resource_classes:list'),
  createClass: admin('resource_classes:create'),
  showClass: admin('resource_classes:show'),
  updateClass: admin('resource_classes:update'),
  deleteClass: admin('resource_classes:delete'),
  listProviderAllocations: admin('resource_providers:allocations:list'),
  manageAllocations: admin('allocations:manage'),
  listAllocations: admin('allocations:list'),
  updateAllocations: admin('allocations:update'),
  deleteAllocations: admin('allocations:delete'),
  listCandidates: admin('allocation_candidates:list'),
  /** Only the services whose books these are know how to move them. */
  reshape: rule('placement:reshaper:reshape', role('service')),
} as const;
