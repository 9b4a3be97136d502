import { describe, expect, it } from 'vitest';
import { isFailure } from '#libs/kernel';
import { mv } from '#libs/wire';
import { candidateRequest } from './candidate.query.js';

const A = '11111111-1111-4111-8111-111111111111';
const B = '22222222-2222-4222-8222-222222222222';

type Query = Record<string, string | string[]>;
const ask = (query: Query, version = '1.39') => candidateRequest(query, mv(version));
function refusal(query: Query, version = '1.39'): [string, string | undefined] {
  try {
    ask(query, version);
  } catch (error) {
    if (isFailure(error, 'invalid')) return [error.message, error.type];
    throw error;
  }
  throw new Error('nothing was refused');
}
const VCPU = { resources: 'VCPU:1' };

describe('a query of candidates', () => {
  it('becomes groups by suffix, with what each version lets them say', () => {
    const { groups, isolate, limit, sameSubtree } = ask({
      resources: 'VCPU:2,MEMORY_MB:512',
      required: ['A,!B', 'in:C,D'],
      member_of: [A, `!in:${A},${B}`],
      resources_NIC: 'SRIOV_NET_VF:1',
      in_tree_NIC: A.replaceAll('-', ''),
      required_ROOT: 'E',
      same_subtree: '_NIC,_ROOT',
      group_policy: 'isolate',
      limit: '7',
    });
    expect(groups).toEqual([
      {
        suffix: '',
        resources: { VCPU: 2, MEMORY_MB: 512 },
        required: [['A'], ['C', 'D']],
        forbidden: ['B'],
        memberOf: [[A]],
        notMemberOf: [A, B],
        inTree: undefined,
      },
      expect.objectContaining({ suffix: '_NIC', resources: { SRIOV_NET_VF: 1 }, inTree: A }),
      expect.objectContaining({ suffix: '_ROOT', resources: {}, required: [['E']] }),
    ]);
    expect([isolate, limit, sameSubtree]).toEqual([true, 7, [['_NIC', '_ROOT']]]);
  });

  it('counts what is given more than once as upstream does', () => {
    expect(ask({ ...VCPU, required: ['A', 'B'] }, '1.38').groups[0]?.required).toEqual([['B']]);
    expect(ask({ ...VCPU, required: ['A', 'B'] }, '1.39').groups[0]?.required).toEqual([['A'], ['B']]);
    expect(ask({ ...VCPU, limit: ['10', '1'] }).limit).toBe(10);
    expect(ask({ resources1: 'VCPU:1', resources2: 'VCPU:1', group_policy: ['isolate', 'none'] }).isolate).toBe(true);
    expect(ask({ resources: ['VCPU:1', 'VCPU:2'] }).groups[0]?.resources).toEqual({ VCPU: 2 });
  });

  it.each<[string, Query, string, string]>([
    ['1.10', {}, "Invalid query string parameters: 'resources' is a required property", ''],
    [
      '1.24',
      { ...VCPU, resources1: 'VCPU:1' },
      "Additional properties are not allowed ('resources1' was unexpected)",
      '',
    ],
    ['1.15', { ...VCPU, limit: '1' }, "Additional properties are not allowed ('limit' was unexpected)", ''],
    ['1.32', { ...VCPU, resources_A: 'VCPU:1' }, "'resources_A' does not match any of the regexes", ''],
    ['1.25', { resources01: 'VCPU:1' }, "'resources01' does not match any of the regexes", ''],
    ['1.30', { ...VCPU, in_tree: A }, "'in_tree' does not match any of the regexes", ''],
    ['1.34', { ...VCPU, root_required: 'A' }, "'root_required' does not match any of the regexes", ''],
    ['1.35', { ...VCPU, same_subtree: 'A' }, "'same_subtree' does not match any of the regexes", ''],
    ['1.39', { ...VCPU, limit: '0' }, "'0' does not match '^[1-9][0-9]*$'", ''],
    ['1.39', { ...VCPU, group_policy: 'bogus' }, "'bogus' is not one of ['none', 'isolate']", ''],
    ['1.39', { resources: '' }, 'Badly formed resources parameter.', ''],
    ['1.39', { resources: 'VCPU' }, 'Got: VCPU.', ''],
    ['1.39', { resources: 'VCPU:fred' }, 'Requested resource VCPU expected positive integer amount. Got: fred.', ''],
    ['1.39', { resources: 'VCPU:0' }, 'Requested resource VCPU requires amount >= 1. Got: 0.', ''],
    ['1.38', { ...VCPU, required: 'in:A,B' }, 'only supported since microversion 1.39', ''],
    ['1.39', { ...VCPU, required: 'in:A,' }, 'Got an empty trait in: in:A,', ''],
    ['1.39', { ...VCPU, required: 'in:A,!B' }, 'does not support forbidden traits', ''],
    ['1.21', { ...VCPU, required: '!A' }, 'value of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC. Got: !A', ''],
    ['1.22', { ...VCPU, required: 'A,' }, 'value of the form: HW_CPU_X86_VMX,!CUSTOM_MAGIC. Got an empty trait', ''],
    ['1.22', { ...VCPU, required: 'A,!A' }, 'following traits keys: required: (A)', ''],
    ['1.39', { ...VCPU, required: ['in:A,B', '!A,!B'] }, 'following traits keys: required: (A, B)', ''],
    ['1.23', { ...VCPU, member_of: [A, B] }, 'Multiple member_of parameters are not supported', ''],
    ['1.31', { ...VCPU, member_of: `!${A}` }, 'Forbidden member_of parameters are not supported', ''],
    ['1.39', { ...VCPU, member_of: `${A},${B}` }, "must be prefixed with the 'in:' or '!in:' keyword", ''],
    ['1.39', { ...VCPU, member_of: 'in:x' }, 'to contain valid UUID(s). Got: x', ''],
    ['1.39', { ...VCPU, in_tree: 'x' }, "Expected 'in_tree' parameter to be a format of uuid. Got: x", ''],
    ['1.35', { required1: 'A', resources: 'VCPU:1' }, 'orphaned traits keys: required1', ''],
    ['1.35', { member_of: A }, 'orphaned member_of keys: member_of', ''],
    ['1.35', { in_tree1: A, ...VCPU }, 'All request groups must specify resources.', ''],
    ['1.35', { limit: '1' }, 'At least one request group', ''],
    ['1.36', { limit: '1' }, 'There must be at least one resources or resources[$S] parameter.', 'missing_value'],
    ['1.36', { ...VCPU, required1: 'A' }, "bad group(s) - ['1']", 'bad_value'],
    ['1.36', { ...VCPU, same_subtree: '_A' }, "`same_subtree`: ['_A'] not found in ['']", 'bad_value'],
    ['1.36', { ...VCPU, resources1: 'VCPU:1', same_subtree: '1,' }, 'Empty string (unsuffixed group)', 'bad_value'],
    ['1.36', { ...VCPU, root_required: ['A', 'B'] }, "'root_required' may be specified only once.", 'duplicate_key'],
    ['1.36', { ...VCPU, root_required: 'A,!A' }, 'traits found in root_required: A', 'bad_value'],
    ['1.39', { ...VCPU, root_required: 'in:A' }, 'only supported since microversion 1.39', ''],
    ['1.25', { resources1: 'VCPU:1', resources2: 'VCPU:1' }, 'The "group_policy" parameter is required', ''],
  ])('%s refuses %j', (version, query, words, code) => {
    const [message, type] = refusal(query, version);
    expect(message).toContain(words);
    expect(type).toBe(code ? `placement.query.${code}` : undefined);
  });

  it('answers briefly to what is long', () => {
    expect(refusal({ resources: 'A'.repeat(50_000) })[0].length).toBeLessThan(1_000);
    expect(refusal({ ...VCPU, ['x'.repeat(50_000)]: 'y' })[0].length).toBeLessThan(2_000);
  });
});
