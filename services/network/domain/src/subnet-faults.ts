/** Failures that only subnets know. */
import { type Failure, fail } from '#libs/kernel';
import { formatPrefix, type Prefix } from './address.js';
import type { AddressRange } from './model.js';

const show = (range: AddressRange): string => `${range.start}-${range.end}`;

export const invalidPool = (range: AddressRange): Failure =>
  fail.invalid(`The allocation pool ${show(range)} is not valid.`, { type: 'InvalidAllocationPool' });
export const poolOutOfBounds = (range: AddressRange, prefix: Prefix): Failure =>
  fail.invalid(`The allocation pool ${show(range)} spans beyond the subnet cidr ${formatPrefix(prefix)}.`, {
    type: 'OutOfBoundsAllocationPool',
  });
export const conflictingPools = (prefix: Prefix): Failure =>
  fail.conflict(`Found overlapping allocation pools for subnet ${formatPrefix(prefix)}.`, {
    type: 'OverlappingAllocationPools',
  });
export const gatewayInPool = (gateway: string, range: AddressRange): Failure =>
  fail.conflict(`Gateway ip ${gateway} conflicts with allocation pool ${show(range)}.`, {
    type: 'GatewayConflictWithAllocationPools',
  });
export const tooManyDns = (most: number): Failure =>
  fail.invalid(`The number of DNS nameservers exceeds the limit ${most}.`, { type: 'DNSNameServersExhausted' });
export const tooManyRoutes = (most: number): Failure =>
  fail.invalid(`The number of host routes exceeds the limit ${most}.`, { type: 'HostRoutesExhausted' });
