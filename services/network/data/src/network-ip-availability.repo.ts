/** Networks with the addresses of their subnets, counted in the statement that lists them. */
import type { Sql } from '#libs/platform/db';
import { type AddressRange, capacityOf, type IpVersion, type NetworkAvailability } from '#services/network/domain';
import { byText, byUuid, type ListRequest, type ListSpec, listSql, type Page, pageOf } from './listing.js';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly project_id: string;
  readonly subnets: readonly {
    readonly id: string;
    readonly name: string;
    readonly cidr: string;
    readonly version: IpVersion;
    readonly pools: readonly AddressRange[];
    readonly used: number;
  }[];
}

const SELECT = `n.id, n.name, n.project_id, coalesce((
  select json_agg(json_build_object('id', s.id, 'name', s.name, 'cidr', s.cidr::text, 'version', s.version, 'pools', s.pools,
    'used', (select count(*) from ip_allocation a where a.subnet_id = s.id)) order by s.created_at, s.id)
  from subnet s where s.network_id = n.id), '[]') as subnets`;

const LIST: ListSpec = {
  select: SELECT,
  from: 'network n',
  id: 'n.id',
  filters: {
    network_id: byUuid('n.id'),
    network_name: byText('n.name'),
    project_id: byText('n.project_id'),
    tenant_id: byText('n.project_id'),
    ip_version: (values, bind) =>
      `exists (select 1 from subnet v where v.network_id = n.id and v.version::text = any(${bind(values)}::text[]))`,
  },
  sortable: {
    network_id: 'n.id',
    network_name: 'n.name',
    project_id: 'n.project_id',
    tenant_id: 'n.project_id',
    created_at: 'n.created_at',
  },
};
export const AVAILABILITY_FIELDS = { filters: Object.keys(LIST.filters), sorts: Object.keys(LIST.sortable) };

/** Where versions are asked for, the others' subnets count for nothing. */
function toAvailability(row: Row, versions: readonly string[] | undefined): NetworkAvailability {
  const wanted = row.subnets.filter((subnet) => versions?.includes(String(subnet.version)) ?? true);
  const subnets = wanted.map(({ pools, ...subnet }) => ({ ...subnet, total: capacityOf(subnet.cidr, pools) }));
  return { id: row.id, name: row.name, projectId: row.project_id, subnets };
}

export class NetworkIpAvailabilityRepo {
  async find(on: Sql, networkId: string): Promise<NetworkAvailability | undefined> {
    const row = await on.one<Row>(`select ${SELECT} from network n where n.id = $1`, [networkId]);
    return row && toAvailability(row, undefined);
  }

  async list(on: Sql, request: ListRequest): Promise<Page<NetworkAvailability>> {
    const { text, params } = listSql(LIST, request, () => 'true');
    const versions = request.filters.get('ip_version');
    return pageOf(
      (await on.query<Row>(text, params)).map((row) => toAvailability(row, versions)),
      request,
    );
  }
}
