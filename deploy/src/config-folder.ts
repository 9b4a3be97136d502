/** The folder that a container sees as /etc/yagura. Files are replaced whole, and only when they differ. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export interface ConfigFile {
  readonly text: string;
  /** Owner inside and outside; 0 when absent. Files with an owner are readable by nobody else. */
  readonly uid?: number;
  /** Readable by all: nothing secret in it. */
  readonly open?: boolean;
}

export type ConfigFiles = Readonly<Record<string, ConfigFile>>;

/** Makes the folder hold these files and no others. A file that is as it should be is not touched. */
export function writeConfigFolder(folder: string, files: ConfigFiles): void {
  mkdirSync(join(folder, 'tls'), { recursive: true, mode: 0o755 });
  for (const [name, file] of Object.entries(files)) writeOne(join(folder, name), file);
  for (const name of [...readdirSync(folder), ...readdirSync(join(folder, 'tls')).map((f) => `tls/${f}`)]) {
    if (name !== 'tls' && !(name in files)) rmSync(join(folder, name), { recursive: true });
  }
}

function writeOne(path: string, file: ConfigFile): void {
  const mode = file.open ? 0o644 : 0o600;
  const uid = file.uid ?? 0;
  if (existsSync(path)) {
    const now = statSync(path);
    if (readFileSync(path, 'utf8') === file.text && now.uid === uid && (now.mode & 0o777) === mode) return;
    // A file that is bound into a running container by itself must keep its inode.
    if (file.open) {
      writeFileSync(path, file.text);
      return;
    }
  }
  writeFileSync(`${path}.new`, file.text, { mode: 0o600 });
  chownSync(`${path}.new`, uid, uid);
  chmodSync(`${path}.new`, mode);
  renameSync(`${path}.new`, path);
}
