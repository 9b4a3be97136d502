/** A guest with encrypted disks, and what there is to see of them from inside, on its node and in compute's books. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Seal } from '#services/compute/data';
import { STATE } from '../client.js';
import { Lab } from '../network/lab/lab.js';
import { mustOnNode, scriptOnNode } from '../network/lab/node.js';
import { type Guest, Login } from './login.js';

const DATA = '/tmp/data';

interface Info {
  readonly encrypted?: boolean;
  readonly 'format-specific': { readonly data: { readonly encrypt?: { readonly format: string } } };
}

export class EncryptedGuest {
  /** What it writes, which nobody else has. */
  readonly mark = `mark-${Date.now()}-${Math.random().toString(36).slice(2)}`;
  /** The mark in both of its disks. */
  readonly both = `${this.mark}\n${this.mark}`;
  /** Every key that was seen, by its disk. */
  readonly seen = new Map<string, string>();

  private constructor(
    readonly lab: Lab,
    readonly login: Login,
    readonly image: (name: string) => string,
    readonly guest: Guest,
    readonly node: string,
    /** A flavor with the double of everything. */
    readonly large: string,
  ) {}

  /** `name`: of the lab. */
  static async open(name: string, cidr: string): Promise<EncryptedGuest> {
    const lab = await Lab.open(name, ['node-1']);
    const login = await Login.open(lab, `lab-${name}`, cidr);
    const image = await lab.imageIds();
    const [small, large] = [await flavor(lab, 'small', 1, 64), await flavor(lab, 'large', 2, 128)];
    const boot = { source_type: 'image', destination_type: 'local', uuid: image('tiny'), boot_index: 0 };
    const data = { source_type: 'blank', destination_type: 'local', guest_format: 'ext4' };
    const guest = await login.guest({ flavorRef: small, block_device_mapping_v2: [boot, data] });
    return new EncryptedGuest(lab, login, image, guest, guest['OS-EXT-SRV-ATTR:host']!, large);
  }

  asks(action: object): Promise<unknown> {
    return this.lab.compute('POST', `/servers/${this.guest.id}/action`, action);
  }

  inside(command: string): Promise<string> {
    return this.login.inside(this.guest, command);
  }

  /** Has it done, and waits until it takes logins again. */
  async act(action: object, status: string): Promise<void> {
    await this.login.act(this.guest, action, status);
    await this.login.answers(this.guest);
  }

  /** Puts the mark into the root disk and into the other one. */
  write(): Promise<string> {
    const { mark } = this;
    return this.#mounted(`echo ${mark} > /home/tiny/mark; sudo sh -c "echo ${mark} > ${DATA}/mark"; sync`);
  }

  read(): Promise<string> {
    return this.#mounted(
      `cat /home/tiny/mark 2>/dev/null || echo gone; sudo cat ${DATA}/mark 2>/dev/null || echo gone`,
    );
  }

  /** How many of the disks of a server on this node have the mark in their bytes. */
  async found(of = this.guest): Promise<number> {
    return Number(await scriptOnNode(this.node, 'grep -laF -- "$2" "$1"/*.qcow2 | wc -l', folder(of), this.mark));
  }

  /** What qemu-img says of each of its disks: `luks`, or `plain`. */
  async kinds(): Promise<string[]> {
    const script = 'for d in "$1"/*.qcow2; do qemu-img info -U --output=json "$d" | tr -d "\\n"; echo; done';
    const text = await scriptOnNode(this.node, script, folder(this.guest));
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Info)
      .map((info) => (info.encrypted ? (info['format-specific'].data.encrypt?.format ?? 'unknown') : 'plain'));
  }

  /** The keys of its disks as compute would tell the node, opened with compute's own sealing key. */
  async keys(): Promise<Map<string, string>> {
    const seal = new Seal(readFileSync(join(STATE, 'data/controller/yagura/compute/seal.key')));
    const query = `select id || ' ' || encode(key, 'hex') from block_device where server_id = '${this.guest.id}'`;
    const rows = (await mustOnNode('controller', 'psql', computeDatabase(), '-Atc', query)).trim().split('\n');
    const opened = rows.map((row) => {
      const [id = '', box = ''] = row.split(' ');
      return [id, seal.open(Buffer.from(box, 'hex'), `block_device/${id}/key`)] as const;
    });
    for (const [id, key] of opened) this.seen.set(id, key);
    return new Map(opened);
  }

  #mounted(command: string): Promise<string> {
    return this.inside(
      `sudo mkdir -p ${DATA}; sudo mount -t ext4 $(sudo blkid -L ephemeral0) ${DATA}; ${command}; sudo umount ${DATA}`,
    );
  }
}

/** Where compute keeps its books. */
export function computeDatabase(): string {
  const text = readFileSync(join(STATE, 'config/controller/compute.json'), 'utf8');
  return (JSON.parse(text) as { database: string }).database;
}

const folder = ({ id }: Guest): string => `/var/lib/yagura/agent/instances/${id}`;

async function flavor(lab: Lab, name: string, ephemeral: number, swap: number): Promise<string> {
  const sizes = { ram: 128, vcpus: 1, disk: 1, 'OS-FLV-EXT-DATA:ephemeral': ephemeral, swap };
  const body = { flavor: { name: `lab-encrypted-${name}-${Date.now()}`, ...sizes } };
  const { id } = (await lab.compute<{ flavor: { id: string } }>('POST', '/flavors', body, 'admin')).flavor;
  lab.afterwards(() => lab.compute('DELETE', `/flavors/${id}`, undefined, 'admin'));
  const extra_specs = { 'hw:ephemeral_encryption': 'true', 'hw:ephemeral_encryption_format': 'luks' };
  await lab.compute('POST', `/flavors/${id}/os-extra_specs`, { extra_specs }, 'admin');
  return id;
}
