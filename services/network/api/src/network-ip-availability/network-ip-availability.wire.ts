/** The addresses of networks on the wire. Counts of IPv6 are written to their last digit, as no double can hold them. */
import { type NetworkAvailability, type SubnetAvailability, sumOf } from '#services/network/domain';

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

const counts = ({ total, used }: Pick<SubnetAvailability, 'total' | 'used'>) => ({
  total_ips: rawJSON(total.toString()),
  used_ips: used,
});

export const availabilityView = (network: NetworkAvailability): Record<string, unknown> => ({
  network_id: network.id,
  network_name: network.name,
  tenant_id: network.projectId,
  project_id: network.projectId,
  ...counts(sumOf(network.subnets)),
  subnet_ip_availability: network.subnets.map((subnet) => ({
    subnet_id: subnet.id,
    subnet_name: subnet.name,
    cidr: subnet.cidr,
    ip_version: subnet.version,
    ...counts(subnet),
  })),
});
