/** The metadata service's tree: which document stands at which path, for one server. Pure. */
import {
  contentPath,
  EC2_VERSIONS,
  ec2MetaData,
  lookUp,
  type MetaDataOptions,
  metaData,
  networkData,
  OPENSTACK_VERSIONS,
  type ServerSpec,
  VENDOR_DATA,
  VENDOR_DATA_2,
} from './documents.js';

export interface Answer {
  readonly status: 200 | 400 | 404 | 409 | 503;
  readonly type: string;
  readonly body: string | Buffer;
}

export const text = (body: string | Buffer): Answer => ({ status: 200, type: 'text/plain; charset=UTF-8', body });
const json = (body: string): Answer => ({ status: 200, type: 'application/json', body });
export const NOTHING: Answer = { status: 404, type: 'text/plain; charset=UTF-8', body: '404 Not Found\n' };

/** Where a guest posts its password. */
export const OPENSTACK_VERSIONS_PATTERN = new RegExp(`^/+openstack/+(?:${OPENSTACK_VERSIONS.join('|')})/+password/*$`);

/** The answer to GET `path` (without a query) for that server. */
export function answer(spec: ServerSpec, path: string, options: MetaDataOptions): Answer {
  const parts = path.split('/').filter((part) => part !== '');
  if (!parts.length) return text(EC2_VERSIONS.join('\n'));
  const [root, ...rest] = parts as [string, ...string[]];
  if (root === 'openstack') return openstack(spec, rest, options);
  if ((EC2_VERSIONS as readonly string[]).includes(root)) return ec2(spec, rest);
  return NOTHING;
}

function openstack(spec: ServerSpec, parts: readonly string[], options: MetaDataOptions): Answer {
  const [version, document, ...more] = parts;
  if (version === undefined) return text(OPENSTACK_VERSIONS.join('\n'));
  if (version === 'content') return content(spec, `/content/${document ?? ''}`);
  if (!(OPENSTACK_VERSIONS as readonly string[]).includes(version) || more.length) return NOTHING;
  switch (document) {
    case undefined:
      return text(
        [
          'meta_data.json',
          ...(spec.userData.length ? ['user_data'] : []),
          'vendor_data.json',
          'vendor_data2.json',
          'network_data.json',
          'password',
        ].join('\n'),
      );
    case 'meta_data.json':
      return json(metaData(spec, options));
    case 'network_data.json':
      return json(networkData(spec));
    case 'vendor_data.json':
      return json(VENDOR_DATA);
    case 'vendor_data2.json':
      return json(VENDOR_DATA_2);
    case 'password':
      return text(spec.guestPassword);
    case 'user_data':
      return spec.userData.length ? { ...text(spec.userData), type: 'application/octet-stream' } : NOTHING;
    default:
      return NOTHING;
  }
}

function content(spec: ServerSpec, path: string): Answer {
  const file = spec.files.find((_, n) => contentPath(n) === path);
  return file ? { ...text(file.contents), type: 'application/octet-stream' } : NOTHING;
}

function ec2(spec: ServerSpec, parts: readonly string[]): Answer {
  const [section, ...path] = parts;
  if (section === undefined) return text(['meta-data/', ...(spec.userData.length ? ['user-data'] : [])].join('\n'));
  if (section === 'user-data' && !path.length)
    return spec.userData.length ? { ...text(spec.userData), type: 'application/octet-stream' } : NOTHING;
  if (section !== 'meta-data') return NOTHING;
  const names = spec.keys.map((key) => key.name);
  const found = lookUp(ec2MetaData(spec), path, names);
  return found === undefined ? NOTHING : text(found);
}
