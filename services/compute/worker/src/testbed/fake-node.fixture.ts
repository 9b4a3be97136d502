/**
 * An agent with its node, as the contract describes it: pulls the desired state, works on one server at a time, keeps the
 * highest pair of each server beyond the server itself, refuses older pairs, answers an identical one from its record.
 */
import type { computeV1, NodeCommand, NodeReport, PowerState } from '#libs/contract';
import { nodeDigest } from '#libs/contract';
import { delay, isFailure } from '#libs/kernel';

type ServerReport = Extract<NodeReport, { type: 'server' }>;

export interface Held {
  fence: number;
  seq: number;
  power: PowerState;
  rebootCount: number;
  /** What the guest is told of itself. */
  told: computeV1.ServerSpec | undefined;
  /** Of the interfaces that are plugged. */
  ports: string[];
  /** Of the root disk. */
  epoch: number;
  /** Of the rescue disk it was started from; 0 for its own. */
  rescue: number;
  /** As it runs, and as it was when its disks were kept. */
  shape: Shape | undefined;
  kept: (Shape & { readonly undo: number }) | undefined;
  /** Ids of the disks beside the root disk that lie on the node. */
  files: Set<string>;
  last: ServerReport | undefined;
}

interface Shape {
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
  /** Kinds and sizes of the other disks that the guest has. */
  readonly local: readonly string[];
}

export interface FakeNodeOptions {
  readonly name: string;
  getSpec(serverId: string): Promise<computeV1.ServerSpec>;
  newsKept(serverId: string, news: number): Promise<void>;
  /** Publishes a report as the node's broker user. */
  publish(report: NodeReport): Promise<void>;
  /** Sends the bytes of a disk. Throws what the image service says against it. */
  upload(url: string): void;
}

export class FakeNode {
  readonly name: string;
  /** Guests that ever ran at the same time as the same server elsewhere are the world's concern; here: what is now. */
  readonly held = new Map<string, Held>();
  /** How often each server was really acted upon. */
  readonly acts: { serverId: string; power: string; fence: number; seq: number }[] = [];
  /** Takes no commands and says nothing. */
  dead = false;
  /** Hears commands and does not act. */
  deaf = false;
  /** Acts, and its reports are lost. */
  mute = false;
  /** Each report is sent twice, the second time late. */
  doubled = false;
  bootMs = 0;
  /** Why a guest can not be made or removed here. */
  bootFailure: ((spec: computeV1.ServerSpec) => string | undefined) | undefined;
  removeFailure: string | undefined;
  /** Why no interface can be plugged or unplugged while a guest runs. */
  plugFailure: string | undefined;
  /** What was done with guests beside keeping them, and why it can not be. */
  readonly errands: { serverId: string; kind: string; secret: string; power: string }[] = [];
  errandFailure: string | undefined;
  /** Why no disk can be copied here. */
  exportFailure: string | undefined;
  /** Images that are on the node, or on their way there, and what keeps them from coming. */
  readonly images = new Set<string>();
  imageFailure: Error | undefined;
  #clock = 1_700_000_000_000;
  readonly #chains = new Map<string, Promise<void>>();

  constructor(private readonly options: FakeNodeOptions) {
    this.name = options.name;
  }

  get guests(): string[] {
    return [...this.held].filter(([, held]) => held.power !== 'absent').map(([id]) => id);
  }

  command(command: NodeCommand): void {
    if (this.dead || this.deaf) return;
    if (command.type === 'report') {
      void this.full();
      return;
    }
    const { serverId, type } = command;
    const work = () => (type === 'refresh' ? this.#tell(serverId) : this.#ensure(serverId));
    const chain = (this.#chains.get(serverId) ?? Promise.resolve()).then(work);
    this.#chains.set(
      serverId,
      chain.catch(() => undefined),
    );
  }

  /** Has done all that it was told until now. */
  async idle(): Promise<void> {
    // Commands come with the next turn of the loop.
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(this.#chains.values());
  }

  /** Here at the second question. */
  async holdImage({ imageId }: { readonly imageId: string }): Promise<{ held: boolean }> {
    if (this.imageFailure) throw this.imageFailure;
    const held = this.images.has(imageId);
    this.images.add(imageId);
    return { held };
  }

  async beat(highestFence = 0): Promise<void> {
    await this.#send({
      ...{ type: 'beat', node: this.name, digest: this.digest, servers: this.guests.length, freeDiskGb: 10 },
      ...{ freeMemoryMb: 1000, loadAverage: '0.1', uptimeS: 1, highestFence, atMs: this.#now() },
    });
  }

  get digest(): string {
    return nodeDigest([...this.held].map(([serverId, { power, fence }]) => ({ serverId, power, fence })));
  }

  async full(): Promise<void> {
    const servers = [...this.held]
      .filter(([, held]) => held.power !== 'absent')
      .map(([serverId, { power, fence, seq }]) => ({ serverId, power, fence, seq }));
    await this.#send({ type: 'full', node: this.name, digest: this.digest, servers, unknown: [], atMs: this.#now() });
  }

  /** The guest does something by itself. */
  async happens(serverId: string, power: PowerState): Promise<void> {
    const held = this.held.get(serverId)!;
    held.power = power;
    await this.#send(this.#report(serverId, held, 'done', { event: true }));
  }

  /** The machine went off and on: no guest runs, what is on disk is there. */
  reboot(): void {
    for (const held of this.held.values()) if (held.power === 'running') held.power = 'stopped';
  }

  async #tell(serverId: string): Promise<void> {
    const spec = await this.options.getSpec(serverId);
    const held = this.held.get(serverId);
    if (held) held.told = spec;
    await this.options.newsKept(serverId, spec.news);
  }

  async #ensure(serverId: string): Promise<void> {
    let spec: computeV1.ServerSpec;
    try {
      spec = await this.options.getSpec(serverId);
    } catch (error) {
      if (isFailure(error, 'notFound')) return;
      throw error;
    }
    const held = this.held.get(serverId) ?? {
      fence: 0,
      seq: 0,
      power: 'absent',
      rebootCount: 0,
      told: undefined,
      ports: [],
      epoch: 0,
      rescue: 0,
      shape: undefined,
      kept: undefined,
      files: new Set(),
      last: undefined,
    };
    const older = spec.fence - held.fence || spec.seq - held.seq;
    if (older < 0) return this.#send(this.#report(serverId, { ...held, ...pairOf(spec) }, 'refused', held));
    if (older === 0 && held.last?.outcome === 'done') return this.#send(held.last);
    this.held.set(serverId, held);
    Object.assign(held, pairOf(spec));
    const error = await this.#make(held, spec);
    if (this.dead) return;
    held.last = this.#report(
      serverId,
      held,
      error === undefined ? 'done' : 'failed',
      error === undefined ? {} : { error },
    );
    await this.#send(held.last);
  }

  async #make(held: Held, spec: computeV1.ServerSpec): Promise<string | undefined> {
    this.acts.push({ serverId: spec.serverId, power: spec.power, fence: spec.fence, seq: spec.seq });
    const wanted = spec.power as PowerState;
    if (wanted === 'absent' && this.removeFailure) return this.removeFailure;
    if (wanted === 'running' && this.bootMs) await delay(this.bootMs);
    const ports = spec.nics.map((nic) => nic.portId);
    if (held.power === 'running' && this.plugFailure && ports.join() !== held.ports.join()) return this.plugFailure;
    const failure = wanted === 'running' ? this.bootFailure?.(spec) : undefined;
    if (failure) return failure;
    if (spec.export) {
      const trouble = this.#export(spec.export);
      if (trouble) return trouble;
    }
    if (wanted !== 'absent' && spec.diskEpoch > held.epoch && !spec.image) return 'no image is named';
    const lost = spec.localDisks.find(({ diskId, made, kind }) => made && kind !== 'swap' && !held.files.has(diskId));
    if (lost && wanted !== 'absent') return `disk ${lost.diskId} is lost`;
    changeShape(held, spec);
    if (wanted === 'absent') held.files.clear();
    held.epoch = wanted === 'absent' ? 0 : spec.diskEpoch;
    if (wanted === 'running') held.rescue = spec.rescue?.epoch ?? 0;
    held.power = wanted;
    held.rebootCount = spec.rebootCount;
    held.told = spec;
    held.ports = ports;
    if (!spec.errand) return undefined;
    const { kind, user, password } = spec.errand;
    if (this.errandFailure) return this.errandFailure;
    this.errands.push({ serverId: spec.serverId, kind, secret: `${user}:${password}`, power: held.power });
    return undefined;
  }

  #export({ uploadUrl, trouble }: computeV1.Export): string | undefined {
    if (trouble) return trouble;
    if (this.exportFailure) return this.exportFailure;
    if (!uploadUrl) return undefined;
    try {
      this.options.upload(uploadUrl);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #report(
    serverId: string,
    held: Held,
    outcome: ServerReport['outcome'],
    more: Partial<ServerReport> = {},
  ): ServerReport {
    const { fence, seq, power, rebootCount } = held;
    return {
      ...{ type: 'server', node: this.name, serverId, fence, seq, generation: 1, power, event: false, outcome },
      ...{ heldFence: fence, heldSeq: seq, rebootCount, atMs: this.#now() },
      ...('error' in more ? { error: more.error } : {}),
      ...('event' in more ? { event: more.event } : {}),
    } as ServerReport;
  }

  #now(): number {
    this.#clock += 1;
    return this.#clock;
  }

  async #send(report: NodeReport): Promise<void> {
    if (this.dead || this.mute) return;
    await this.options.publish(report);
    if (this.doubled) setTimeout(() => void this.options.publish(report), 30).unref();
  }
}

const pairOf = ({ fence, seq }: computeV1.ServerSpec) => ({ fence, seq });

/** What a node keeps before it gives a guest another shape, and what it goes back to. */
function changeShape(held: Held, spec: computeV1.ServerSpec): void {
  const { undo, undoEpoch, vcpus, memoryMb, diskGb, localDisks } = spec;
  if (undo === 'keep' && held.shape && held.kept?.undo !== undoEpoch) held.kept = { ...held.shape, undo: undoEpoch };
  const restored = undo === 'restore' && held.kept?.undo === undoEpoch ? held.kept : undefined;
  if (undo !== 'keep') held.kept = undefined;
  if (undo !== 'keep') held.files.clear();
  for (const { diskId } of localDisks) held.files.add(diskId);
  const local = localDisks.map(({ kind, sizeMb }) => `${kind}:${sizeMb}`);
  held.shape = { vcpus, memoryMb, diskGb: restored?.diskGb ?? diskGb, local };
}
