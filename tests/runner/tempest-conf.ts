/** Writes tempest.conf for the cloud that is up: what it has, and which features to expect of it. */
import { loginTo, type Session } from './cloud-client.js';

interface Named {
  readonly id: string;
  readonly name: string;
}

type Section = Readonly<Record<string, string | number | boolean>>;

const ini = (sections: Readonly<Record<string, Section>>): string =>
  Object.entries(sections)
    .map(
      ([name, values]) =>
        `[${name}]\n${Object.entries(values)
          .map(([key, value]) => `${key} = ${value}`)
          .join('\n')}\n`,
    )
    .join('\n');

function named(list: readonly Named[], name: string): Named {
  const found = list.find((item) => item.name === name);
  if (!found) throw new Error(`the cloud has no ${name}`);
  return found;
}

/** The suite's projects are made as it goes and have no network of their own, so it gets one that all share. */
const SHARED_NETWORK = 'tempest';

async function ensureSharedNetwork(admin: Session): Promise<void> {
  const url = `${admin.endpoint('network')}/v2.0`;
  const found = await admin.call<{ networks: Named[] }>('GET', `${url}/networks?name=${SHARED_NETWORK}`);
  if (found.body.networks.length) return;
  const made = await admin.call<{ network: Named }>('POST', `${url}/networks`, {
    network: { name: SHARED_NETWORK, shared: true },
  });
  const subnet = { network_id: made.body.network.id, cidr: '10.99.0.0/16', ip_version: 4, name: SHARED_NETWORK };
  const { status } = await admin.call('POST', `${url}/subnets`, { subnet });
  if (status !== 201) throw new Error(`the shared network's subnet: ${status}`);
}

/** Each of these becomes true when the feature is there. */
const COMPUTE_FEATURES: Section = {
  console_output: true,
  config_drive: true,
  metadata_service: true,
  personality: false,
  resize: false,
  suspend: false,
  pause: false,
  shelve: false,
  rescue: false,
  snapshot: false,
  cold_migration: false,
  live_migration: false,
  vnc_console: false,
  serial_console: false,
  interface_attach: false,
  attach_encrypted_volume: false,
  swap_volume: false,
};

/** What holds for every cloud of ours. */
const CONSTANT: Readonly<Record<string, Section>> = {
  'identity-feature-enabled': {
    api_v3: true,
    trust: false,
    application_credentials: true,
    access_rules: false,
  },
  service_available: { nova: true, glance: true, neutron: true, cinder: false, swift: false },
  'compute-feature-enabled': COMPUTE_FEATURES,
  validation: {
    run_validation: false,
    connect_method: 'fixed',
    network_for_ssh: SHARED_NETWORK,
    image_ssh_user: 'tiny',
  },
  // Its lists are of images of random bytes, which are true raw disks and nothing else.
  image: { build_timeout: 60, container_formats: 'bare', disk_formats: 'raw' },
  'image-feature-enabled': { import_image: false, os_glance_reserved: true, image_format_enforcement: false },
  network: {
    project_network_cidr: '10.100.0.0/16',
    project_networks_reachable: false,
    build_timeout: 60,
    endpoint_type: 'public',
  },
};

function accounts(admin: Session): Readonly<Record<string, Section>> {
  return {
    auth: {
      use_dynamic_credentials: true,
      create_isolated_networks: false,
      admin_username: admin.username,
      admin_password: admin.password,
      admin_project_name: admin.project,
      admin_domain_name: 'Default',
      tempest_roles: 'member',
    },
    identity: {
      auth_version: 'v3',
      uri_v3: admin.authUrl,
      v3_endpoint_type: 'public',
      region: admin.region,
      default_domain_id: 'default',
    },
  };
}

/** Tests of versions beyond the one that is advertised are not for this cloud. */
async function newestMicroversion(admin: Session): Promise<string> {
  const { body } = await admin.call<{ version: { version: string } }>('GET', `${admin.endpoint('compute')}/`);
  return body.version.version;
}

/** The images, flavors and extensions that this cloud has. */
async function inventory(admin: Session): Promise<Readonly<Record<string, Section>>> {
  const compute = admin.endpoint('compute');
  const { images } = (await admin.call<{ images: Named[] }>('GET', `${admin.endpoint('image')}/v2/images`)).body;
  const { flavors } = (await admin.call<{ flavors: Named[] }>('GET', `${compute}/flavors`)).body;
  const listed = await admin.call<{ extensions: { alias: string }[] }>(
    'GET',
    `${admin.endpoint('network')}/v2.0/extensions`,
  );
  const aliases = listed.body.extensions.map(({ alias }) => alias).sort();
  return {
    compute: {
      image_ref: named(images, 'tiny').id,
      image_ref_alt: named(images, 'tiny-alt').id,
      flavor_ref: named(flavors, 'm1.nano').id,
      flavor_ref_alt: named(flavors, 'm1.micro').id,
      fixed_network_name: SHARED_NETWORK,
      build_interval: 1,
      build_timeout: 180,
      ready_wait: 0,
      endpoint_type: 'public',
      min_compute_nodes: 2,
      max_microversion: await newestMicroversion(admin),
    },
    'network-feature-enabled': { ipv6: true, api_extensions: aliases.join(',') },
  };
}

/** The whole file for the cloud of that state folder; `folder` holds the suite's logs and locks. */
export async function tempestConf(state: string, folder: string): Promise<string> {
  const admin = await loginTo(state, 'yagura-admin');
  await ensureSharedNetwork(admin);
  return ini({
    DEFAULT: { log_dir: `${folder}/logs`, log_file: 'tempest.log', debug: false },
    oslo_concurrency: { lock_path: `${folder}/lock` },
    ...accounts(admin),
    ...CONSTANT,
    ...(await inventory(admin)),
  });
}
