/** The config drive: an ISO 9660 image labelled `config-2` with the documents of the metadata service in files. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Run } from '../exec/run.js';
import {
  contentPath,
  ec2MetaData,
  type Folder,
  type MetaDataOptions,
  metaData,
  networkData,
  type ServerSpec,
  VENDOR_DATA,
  VENDOR_DATA_2,
} from '../metadata/documents.js';

/** Every file of the drive by its path. Pure. */
export function configDriveFiles(spec: ServerSpec, options: MetaDataOptions): Map<string, string | Buffer> {
  const files = new Map<string, string | Buffer>();
  for (const version of ['2018-08-27', 'latest']) {
    files.set(`openstack/${version}/meta_data.json`, metaData(spec, { ...options, withPassword: true }));
    files.set(`openstack/${version}/network_data.json`, networkData(spec));
    files.set(`openstack/${version}/vendor_data.json`, VENDOR_DATA);
    files.set(`openstack/${version}/vendor_data2.json`, VENDOR_DATA_2);
    if (spec.userData.length) files.set(`openstack/${version}/user_data`, spec.userData);
  }
  for (const [n, file] of spec.files.entries()) files.set(`openstack${contentPath(n)}`, file.contents);
  for (const version of ['2009-04-04', 'latest']) {
    files.set(`ec2/${version}/meta-data.json`, JSON.stringify(ec2MetaData(spec) satisfies Folder));
    if (spec.userData.length) files.set(`ec2/${version}/user-data`, spec.userData);
  }
  return files;
}

/** Writes the drive to `path`, complete or not at all. */
export async function writeConfigDrive(
  run: Run,
  path: string,
  spec: ServerSpec,
  options: MetaDataOptions,
): Promise<void> {
  const folder = await mkdtemp(join(dirname(path), '.config-'));
  try {
    const tree = join(folder, 'tree');
    for (const [name, content] of configDriveFiles(spec, options)) {
      await mkdir(dirname(join(tree, name)), { recursive: true, mode: 0o700 });
      await writeFile(join(tree, name), content, { mode: 0o600 });
    }
    const iso = join(folder, 'config.iso');
    const shape = ['-quiet', '-J', '-r', '-l', '-ldots', '-allow-lowercase', '-allow-multidot', '-V', 'config-2'];
    await run('genisoimage', ['-o', iso, ...shape, '-publisher', 'OpenStack Compute', tree], { timeoutMs: 20_000 });
    await rename(iso, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
