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

/** The way out of the cloud, from which floating IPs come. */
const EXTERNAL_NETWORK = 'public';
/** The log-in name of the guests. */
const GUEST_USER = 'tiny';

/** Each of these becomes true when the feature is there. */
const COMPUTE_FEATURES: Section = {
  change_password: true,
  console_output: true,
  config_drive: true,
  metadata_service: true,
  personality: true,
  resize: true,
  suspend: true,
  pause: true,
  shelve: true,
  rescue: true,
  stable_rescue: true,
  snapshot: true,
  cold_migration: false,
  live_migration: false,
  vnc_console: true,
  serial_console: true,
  interface_attach: true,
  attach_encrypted_volume: false,
  swap_volume: false,
  hostname_fqdn_sanitization: true,
  // Guests are told their names as they are, with no domain after them.
  dhcp_domain: '',
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
  'compute-feature-enabled': { ...COMPUTE_FEATURES, scheduler_enabled_filters: 'all' },
  // Guests are reached as from anywhere: through floating IPs.
  validation: {
    connect_method: 'floating',
    image_ssh_user: GUEST_USER,
    image_alt_ssh_user: GUEST_USER,
    ssh_timeout: 180,
    ping_timeout: 90,
  },
  // Its lists are of images of random bytes, which are true raw disks and nothing else.
  image: { build_timeout: 60, container_formats: 'bare', disk_formats: 'raw' },
  'image-feature-enabled': { import_image: false, os_glance_reserved: true, image_format_enforcement: false },
};

const NETWORK: Section = {
  project_network_cidr: '10.100.0.0/16',
  project_networks_reachable: false,
  build_timeout: 60,
  endpoint_type: 'public',
};

function accounts(admin: Session): Readonly<Record<string, Section>> {
  return {
    auth: {
      use_dynamic_credentials: true,
      create_isolated_networks: true,
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
  const network = `${admin.endpoint('network')}/v2.0`;
  const { networks } = (await admin.call<{ networks: Named[] }>('GET', `${network}/networks?router:external=true`))
    .body;
  const listed = await admin.call<{ extensions: { alias: string }[] }>('GET', `${network}/extensions`);
  const aliases = listed.body.extensions.map(({ alias }) => alias).sort();
  return {
    compute: {
      image_ref: named(images, 'tiny').id,
      image_ref_alt: named(images, 'tiny-alt').id,
      flavor_ref: named(flavors, 'm1.nano').id,
      flavor_ref_alt: named(flavors, 'm1.micro').id,
      build_interval: 1,
      build_timeout: 180,
      ready_wait: 0,
      endpoint_type: 'public',
      min_compute_nodes: 2,
      max_microversion: await newestMicroversion(admin),
    },
    network: {
      ...NETWORK,
      public_network_id: named(networks, EXTERNAL_NETWORK).id,
      floating_network_name: EXTERNAL_NETWORK,
    },
    'network-feature-enabled': {
      ipv6: true,
      ipv6_subnet_attributes: true,
      port_security: true,
      floating_ips: true,
      // The suite still asks for tags of networks by the name that they had when nothing else could be tagged.
      api_extensions: [...aliases, 'tag'].join(','),
    },
  };
}

export interface TempestConfOptions {
  /** The cloud's state folder. */
  readonly state: string;
  /** For the suite's logs and locks. */
  readonly folder: string;
  /** Whether tests log in to the guests that they boot. */
  readonly logIn: boolean;
}

/** The whole file. */
export async function tempestConf({ state, folder, logIn }: TempestConfOptions): Promise<string> {
  const admin = await loginTo(state, 'yagura-admin');
  const { validation, ...constant } = CONSTANT;
  return ini({
    DEFAULT: { log_dir: `${folder}/logs`, log_file: 'tempest.log', debug: false },
    oslo_concurrency: { lock_path: `${folder}/lock` },
    ...accounts(admin),
    ...constant,
    validation: { run_validation: logIn, ...validation },
    ...(await inventory(admin)),
  });
}
