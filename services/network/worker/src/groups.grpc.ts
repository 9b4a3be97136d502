/** Security groups with their rules, as compute shows those of a server. */
import { networkGroupsV1 } from '#libs/contract';
import { isUuid } from '#libs/kernel';
import { type Binding, bind } from '#libs/platform/grpc';
import type { Log } from '#libs/platform/log';
import type { NetworkBooks } from '#services/network/data';
import type { SecurityGroupRule } from '#services/network/domain';

type Names = ReadonlyMap<string, { readonly name: string; readonly projectId: string }>;

const described = (rule: SecurityGroupRule, names: Names): networkGroupsV1.GroupRule => ({
  id: rule.id,
  direction: rule.direction,
  ethertype: rule.ethertype,
  protocol: rule.protocol ?? '',
  portRangeMin: rule.portMin ?? undefined,
  portRangeMax: rule.portMax ?? undefined,
  remoteIpPrefix: rule.remotePrefix ?? '',
  remoteGroupId: rule.remoteGroupId ?? '',
  remoteGroupName: names.get(rule.remoteGroupId ?? '')?.name ?? '',
  remoteGroupProjectId: names.get(rule.remoteGroupId ?? '')?.projectId ?? '',
});

async function describe(
  { db, groups }: NetworkBooks,
  { projectId, groupIds }: networkGroupsV1.DescribeGroupsRequest,
): Promise<networkGroupsV1.DescribeGroupsReply> {
  const found = await groups.findMany(db, groupIds.filter(isUuid));
  const own = found.filter((group) => group.projectId === projectId);
  const remote = own.flatMap(({ rules }) => rules.map(({ remoteGroupId }) => remoteGroupId));
  const names = await groups.names(db, [...new Set(remote.filter((id) => id !== null))]);
  const byId = new Map(names.map((group) => [group.id, group]));
  return {
    groups: own.map(({ rules, id, name, description }) => ({
      ...{ id, name, description, projectId },
      rules: rules.map((rule) => described(rule, byId)),
    })),
  };
}

/** For compute alone. */
export const groupsBinding = (books: NetworkBooks, log: Log): Binding =>
  bind(
    networkGroupsV1.GroupsService,
    { describe: (request) => describe(books, request) },
    (peer) => peer === 'compute',
    log,
  );
