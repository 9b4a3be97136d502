import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '#services/network/domain';
import { type Books, openBooks } from './books.fixture.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks({ ...DEFAULT_LIMITS, port: 1000 });
});
afterAll(() => books.scratch.drop());

const atOnce = async (networkId: string, count: number) => {
  const outcomes = await Promise.allSettled(Array.from({ length: count }, () => books.makePort(networkId)));
  return {
    made: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.fixedIps[0]?.address] : [])),
    refused: outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.type] : [])),
  };
};

it('gives every one of 200 ports that are made at once an address of its own', async () => {
  const network = await books.makeNetwork();
  await books.makeSubnet(network.id, { cidr: '10.8.0.0/22' });
  const { made, refused } = await atOnce(network.id, 200);
  expect(refused).toEqual([]);
  expect(new Set(made).size).toBe(200);
});

it('gives all that a subnet has to those who ask at once, and refuses only the others', async () => {
  const network = await books.makeNetwork();
  await books.makeSubnet(network.id, { cidr: '10.8.0.0/27' });
  // 30 hosts, but for the gateway and the metadata port.
  const { made, refused } = await atOnce(network.id, 40);
  expect(new Set(made).size).toBe(28);
  expect(refused).toEqual(Array.from({ length: 12 }, () => 'IpAddressGenerationFailure'));
});
