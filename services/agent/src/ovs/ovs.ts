/** The little that the agent asks of Open vSwitch; flows are OVN's business, and libvirt plugs the guests. */
import type { TapView } from '../driver/driver.js';
import type { Run } from '../exec/run.js';

export interface OvsOptions {
  readonly run: Run;
  /** Such as `unix:/run/openvswitch/db.sock`. */
  readonly database: string;
  readonly bridge: string;
}

interface Table {
  readonly headings: readonly string[];
  readonly data: readonly (readonly unknown[])[];
}

/** Interfaces that carry a port's id, from ovs-vsctl's JSON table of (name, external_ids). */
export function parseTaps(text: string): TapView[] {
  const table = JSON.parse(text) as Table;
  return table.data.flatMap(([name, ids]) => {
    const pairs = Array.isArray(ids) && ids[0] === 'map' ? (ids[1] as [string, string][]) : [];
    const portId = pairs.find(([key]) => key === 'iface-id')?.[1];
    return typeof name === 'string' && portId ? [{ portId, device: name }] : [];
  });
}

export class Ovs {
  readonly #options: OvsOptions;

  constructor(options: OvsOptions) {
    this.#options = options;
  }

  async taps(): Promise<TapView[]> {
    return parseTaps(await this.#vsctl('--format=json', '--columns=name,external_ids', 'list', 'Interface'));
  }

  /** Removes ports of the integration bridge where they are. */
  async remove(devices: readonly string[]): Promise<void> {
    if (!devices.length) return;
    const commands = devices.flatMap((device) => ['--', '--if-exists', 'del-port', this.#options.bridge, device]);
    await this.#vsctl(...commands.slice(1));
  }

  /** Plugs an existing device as the port with that id. */
  async plug(device: string, portId: string): Promise<void> {
    const port = ['--may-exist', 'add-port', this.#options.bridge, device];
    await this.#vsctl(...port, '--', 'set', 'Interface', device, `external_ids:iface-id=${portId}`);
  }

  #vsctl(...args: string[]): Promise<string> {
    return this.#options.run('ovs-vsctl', [`--db=${this.#options.database}`, '--timeout=10', ...args], {
      timeoutMs: 15_000,
    });
  }
}
