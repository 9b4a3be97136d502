/** Configuration of the controller's data stores: PostgreSQL, RabbitMQ with its users, OVN. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { ConfigFile, ConfigFiles } from './config-folder.js';
import { controllerAddress, type Deployment, managementAddress, nodeNames } from './deployment.js';
import { SERVICE_NAMES, SIMULATED } from './layout.js';
import type { Secrets } from './secrets.js';

export const VHOST = 'yagura';
export const agentUser = (node: string): string => `agent-${node}`;
export const simulatedNames = (d: Deployment): string[] =>
  Array.from({ length: d.simulated }, (_, i) => `sim-${String(i + 1).padStart(3, '0')}`);
export const databaseOf = (service: string): string => `yagura_${service}`;

/** Small: one machine, a few hundred connections, little idle memory. Durability is left at its safe defaults. */
const POSTGRESQL = `unix_socket_directories = '/run/postgresql'
max_connections = 200
shared_buffers = 64MB
work_mem = 4MB
maintenance_work_mem = 32MB
max_wal_size = 512MB
min_wal_size = 64MB
wal_buffers = 2MB
effective_cache_size = 512MB
max_parallel_workers_per_gather = 0
max_parallel_workers = 2
max_worker_processes = 4
max_replication_slots = 0
max_wal_senders = 0
wal_level = minimal
recovery_init_sync_method = syncfs
jit = off
autovacuum_max_workers = 2
autovacuum_naptime = 20s
idle_in_transaction_session_timeout = 60s
timezone = 'UTC'
log_timezone = 'UTC'
log_destination = 'stderr'
logging_collector = off
log_min_duration_statement = 1000
log_line_prefix = '%q%u@%d '
password_encryption = 'scram-sha-256'
`;

/** Without plugins; one scheduler and no busy waiting, for a broker that only wakes. */
const RABBITMQ_ENV = `NODENAME=yagura@localhost
CONFIG_FILE=/etc/yagura/rabbitmq.conf
ENABLED_PLUGINS_FILE=/etc/yagura/rabbitmq-plugins
LOG_BASE=/var/lib/rabbitmq/log
MNESIA_BASE=/var/lib/rabbitmq/mnesia
LOGS=-
SERVER_ADDITIONAL_ERL_ARGS="+S 1:1 +SDcpu 1:1 +SDio 2 +sbwt none +sbwtdcpu none +sbwtdio none +P 131072 +A 2 -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
`;

const RABBITMQ = `listeners.tcp.default = 5672
definitions.import_backend = local_filesystem
definitions.local.path = /etc/yagura/rabbitmq-definitions.json
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 256MB
heartbeat = 10
log.console = true
log.console.level = warning
log.file = false
loopback_users = none
`;

/** The role by which integration tests on this machine make databases of their own. */
export const TEST_ROLE = 'yagura_tests';
export const TEST_BROKER_USER = 'yagura-tests';
export const TEST_VHOST = 'yagura-tests';

/** Local users by their own name, services by password from inside; tests by password from this machine, if allowed. */
export function databaseFiles(d: Deployment): ConfigFiles {
  const tests = d.testStores ? `host all ${TEST_ROLE} ${managementAddress(d, 1)}/32 scram-sha-256\n` : '';
  const addresses = d.testStores ? `127.0.0.1,${controllerAddress(d)}` : '127.0.0.1';
  return {
    'postgresql.conf': { text: `listen_addresses = '${addresses}'\n${POSTGRESQL}`, open: true },
    'pg_hba.conf': { text: `local all all peer\nhost all all 127.0.0.1/32 scram-sha-256\n${tests}`, open: true },
  };
}

export function brokerFiles(d: Deployment, secrets: Secrets, definitionsBefore: string, uid: number): ConfigFiles {
  return {
    'rabbitmq-env.conf': { text: RABBITMQ_ENV, open: true },
    'rabbitmq.conf': { text: RABBITMQ, open: true },
    'rabbitmq-plugins': { text: '[].\n', open: true },
    'rabbitmq-definitions.json': brokerDefinitions(d, secrets, definitionsBefore, uid),
  };
}

interface BrokerUser {
  readonly name: string;
  readonly password_hash: string;
  readonly hashing_algorithm: 'rabbit_password_hashing_sha256';
  readonly tags: string[];
}

/**
 * Users, permissions and topic permissions. A service may do all within the vhost; the agent of a node may read its own
 * queue, and write reports under its own name alone.
 */
function brokerDefinitions(d: Deployment, secrets: Secrets, before: string, uid: number): ConfigFile {
  const nodes = [...nodeNames(d), ...simulatedNames(d)];
  const tests = d.testStores ? [TEST_BROKER_USER] : [];
  const known = knownUsers(before);
  const hashed = (name: string, tags: string[] = []): BrokerUser => {
    const password = secrets.text(`amqp-${name.startsWith('agent-sim-') ? agentUser(SIMULATED) : name}`);
    return {
      name,
      password_hash: passwordHash(password, known.get(name)),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags,
    };
  };
  const all = { configure: '.*', write: '.*', read: '.*' };
  const value = {
    users: [
      ...[...SERVICE_NAMES, ...nodes.map(agentUser)].map((name) => hashed(name)),
      ...tests.map((name) => hashed(name, ['administrator'])),
    ],
    vhosts: [{ name: VHOST }, ...tests.map(() => ({ name: TEST_VHOST }))],
    permissions: [
      ...SERVICE_NAMES.map((user) => ({ user, vhost: VHOST, ...all })),
      ...tests.map((user) => ({ user, vhost: TEST_VHOST, ...all })),
      ...nodes.map((node) => ({
        user: agentUser(node),
        vhost: VHOST,
        configure: '^$',
        write: '^node\\.report$',
        read: `^node\\.${node}$`,
      })),
    ],
    topic_permissions: nodes.map((node) => ({
      user: agentUser(node),
      vhost: VHOST,
      exchange: 'node.report',
      write: `^${node}$`,
      read: '^$',
    })),
  };
  return { text: `${JSON.stringify(value, null, 1)}\n`, uid };
}

function knownUsers(path: string): Map<string, string> {
  if (!existsSync(path)) return new Map();
  const { users } = JSON.parse(readFileSync(path, 'utf8')) as { users: BrokerUser[] };
  return new Map(users.map((user) => [user.name, user.password_hash]));
}

/** RabbitMQ's salted SHA-256: base64(salt + sha256(salt + password)). A hash that already fits stays as it is. */
export function passwordHash(password: string, known?: string): string {
  const hash = (salt: Buffer): string =>
    Buffer.concat([salt, createHash('sha256').update(salt).update(password).digest()]).toString('base64');
  if (known && hash(Buffer.from(known, 'base64').subarray(0, 4)) === known) return known;
  return hash(randomBytes(4));
}
