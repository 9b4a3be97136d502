/** What tests of the API say over and over: calls as a member or an administrator, and what answers hold. */
import { afterAll, beforeAll, expect } from 'vitest';
import { type Answer, type Testbed, testbed } from './testbed.fixture.js';

export type Row = Record<string, unknown> & { id: string };
export const ADMIN = { roles: ['admin'] };

/** The resource in an answer that must be good. */
export const one = (answer: Answer, name: string): Row => {
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body[name] as Row;
};
export const many = (answer: Answer, name: string): Row[] => one(answer, name) as unknown as Row[];
export const fault = (answer: Answer) => ({
  status: answer.status,
  type: (answer.body['NeutronError'] as Row | undefined)?.['type'],
});

type Caller = Parameters<Testbed['call']>[3];

/** Makers on a testbed. */
export const makers = (bed: () => Testbed) => ({
  network: async (body: object = {}, as: Caller = {}): Promise<Row> =>
    one(await bed().call('POST', '/v2.0/networks', { network: { name: 'n', ...body } }, as), 'network'),
  subnet: async (networkId: string, body: object = {}, as: Caller = {}): Promise<Row> => {
    const subnet = { network_id: networkId, ip_version: 4, cidr: '10.0.0.0/24', ...body };
    return one(await bed().call('POST', '/v2.0/subnets', { subnet }, as), 'subnet');
  },
  port: async (networkId: string, body: object = {}, as: Caller = {}): Promise<Row> =>
    one(await bed().call('POST', '/v2.0/ports', { port: { network_id: networkId, ...body } }, as), 'port'),
});

/** A testbed for all tests of a file, whose quotas must add up at the end. */
export function sharedTestbed(options: Record<string, unknown> = {}): () => Testbed {
  let bed: Testbed;
  beforeAll(async () => {
    bed = await testbed(options);
  });
  afterAll(async () => {
    const { books, db } = bed.service;
    const uneven = (await books.quotas.audit(db)).filter((row) => row.recorded !== row.counted);
    expect(uneven).toEqual([]);
    await bed.close();
  });
  return () => bed;
}
