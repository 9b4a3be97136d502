/** The agent's part of its configuration file: `options` of the process, see libs/platform/config for the rest. */
import { type Static, Type } from 'typebox';
import { type ProcessConfig, readConfig, TlsFiles, validated } from '#libs/platform/config';

const Capacity = Type.Object({
  vcpus: Type.Optional(Type.Integer({ minimum: 1 })),
  memoryMb: Type.Optional(Type.Integer({ minimum: 1 })),
  diskGb: Type.Optional(Type.Integer({ minimum: 1 })),
});

const Cpu = Type.Object({
  mode: Type.Optional(
    Type.Union([
      Type.Literal('host-model'),
      Type.Literal('host-passthrough'),
      Type.Literal('maximum'),
      Type.Literal('custom'),
    ]),
  ),
  /** For `custom`: the best that the node can give of these, in order. */
  models: Type.Optional(Type.Array(Type.String())),
});

const Delays = Type.Object({
  startMs: Type.Optional(Type.Integer({ minimum: 0 })),
  stopMs: Type.Optional(Type.Integer({ minimum: 0 })),
  destroyMs: Type.Optional(Type.Integer({ minimum: 0 })),
});

export const AgentOptions = Type.Object({
  driver: Type.Union([Type.Literal('libvirt'), Type.Literal('fake')], { default: 'libvirt' }),
  /** Name of the node; not with `nodes`. */
  node: Type.Optional(Type.String({ minLength: 1 })),
  /** Many nodes in one process, each with its own broker user and certificate; `fake` only. */
  nodes: Type.Optional(
    Type.Array(Type.Object({ name: Type.String({ minLength: 1 }), amqp: Type.String(), tls: TlsFiles })),
  ),
  /** Fabric address of the node, and where its gRPC server is reached. */
  nodeAddress: Type.String(),
  /** Empty: compute's own default. */
  availabilityZone: Type.String({ default: '' }),
  virtType: Type.Union([Type.Literal('auto'), Type.Literal('kvm'), Type.Literal('qemu')], { default: 'auto' }),
  libvirtSocket: Type.String({ default: '/run/libvirt/libvirt-sock' }),
  ovsSocket: Type.String({ default: 'unix:/run/openvswitch/db.sock' }),
  bridge: Type.String({ default: 'br-int' }),
  /** Serve metadata on the networks of this node's guests. */
  metadata: Type.Boolean({ default: true }),
  /** Domains that are started or destroyed at a time. */
  parallel: Type.Integer({ minimum: 1, default: 4 }),
  /** How long a guest has to obey the power button. */
  shutdownMs: Type.Integer({ minimum: 0, default: 30_000 }),
  /** How long a server may take to become running or stopped while something it needs is away. */
  patienceMs: Type.Integer({ minimum: 0, default: 120_000 }),
  capacity: Type.Optional(Capacity),
  /** What processor guests see; by itself the host's under KVM, all that QEMU emulates without. */
  cpu: Type.Optional(Cpu),
  /** Host processors for guests with processors of their own, as a list (`2-7,^4`); no other guest runs on them. */
  dedicatedCpus: Type.String({ default: '', pattern: '^[\\^0-9, -]*$' }),
  /** Host processors that all other guests share; by itself all that are not dedicated. */
  sharedCpus: Type.String({ default: '', pattern: '^[\\^0-9, -]*$' }),
  delays: Type.Optional(Delays),
});
export type AgentOptions = Static<typeof AgentOptions>;

/** One node of this process with what it signs in with. */
export interface NodeIdentity {
  readonly name: string;
  readonly amqp: string;
  readonly tls: TlsFiles;
}

export interface AgentConfig {
  readonly process: ProcessConfig & { readonly grpc: { readonly host: string; readonly port: number } };
  readonly options: AgentOptions;
  readonly nodes: readonly NodeIdentity[];
}

/** Throws an Error fit for the operator's eyes. */
export function readAgentConfig(path?: string): AgentConfig {
  const config = readConfig(path);
  const options = validated(AgentOptions, config.options ?? {}, 'options of the agent');
  const { grpc, amqp, tls } = config;
  if (!grpc) throw new Error('config/grpc is missing');
  if (options.nodes) {
    if (options.driver !== 'fake') throw new Error('many nodes in one process are for the fake driver only');
    return { process: { ...config, grpc }, options, nodes: options.nodes };
  }
  if (!options.node || !amqp) throw new Error('config/options/node and config/amqp are needed');
  return { process: { ...config, grpc }, options, nodes: [{ name: options.node, amqp, tls }] };
}
