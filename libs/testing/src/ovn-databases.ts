/**
 * Real OVN databases for tests: ovsdb-server for NB and SB with ovn-northd between
 * them, on unix sockets in a folder of their own. The programs are those of the
 * machine, or of the Debian 13 root that the checkout built (run through that
 * root's own loader, so nothing needs to be installed or mounted).
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface OvnDatabases {
  /** Remotes in OVSDB's notation. */
  readonly nb: string;
  readonly sb: string;
  /** Runs one of OVN's programs, such as `ovn-nbctl`, and gives its output. */
  tool(program: string, ...parameters: string[]): string;
  /** Kills the NB server and starts it again on the same file, or on one without anything in it. */
  restartNb(options?: { readonly empty: boolean }): Promise<void>;
  stop(): void;
}

const PROGRAMS = { server: 'usr/sbin/ovsdb-server', tool: 'usr/bin/ovsdb-tool', northd: 'usr/bin/ovn-northd' };

function programRoot(): string {
  if (existsSync(join('/', PROGRAMS.northd))) return '/';
  const checkout = fileURLToPath(new URL('../../../', import.meta.url));
  const roots = process.env['YAGURA_ROOTS'] ?? join(checkout, 'var/root');
  const root = join(roots, 'trixie');
  if (!existsSync(join(root, PROGRAMS.northd))) throw new Error(`no OVN on this machine nor in ${root}`);
  return realpathSync(root);
}

/** The program and its parameters, through the root's own loader where it is not this machine's. */
function commandLine(root: string, program: string, parameters: readonly string[]): [string, string[]] {
  const path = join(root, program);
  if (root === '/') return [path, [...parameters]];
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  return [join(root, 'lib64/ld-linux-x86-64.so.2'), ['--library-path', libraries, path, ...parameters]];
}

async function untilExists(path: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (existsSync(path)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${path} did not appear`);
}

class Databases implements OvnDatabases {
  private readonly root = programRoot();
  private readonly folder = mkdtempSync(join(tmpdir(), 'ovn-'));
  private readonly running = new Map<string, ChildProcess>();
  readonly nb = `unix:${join(this.folder, 'nb.sock')}`;
  readonly sb = `unix:${join(this.folder, 'sb.sock')}`;

  async start(withNorthd: boolean): Promise<this> {
    for (const name of ['nb', 'sb']) {
      this.create(name);
      await this.serve(name);
    }
    if (withNorthd) {
      const where = [`--ovnnb-db=${this.nb}`, `--ovnsb-db=${this.sb}`, `--unixctl=${join(this.folder, 'northd.ctl')}`];
      this.spawn('northd', PROGRAMS.northd, where);
    }
    return this;
  }

  tool(program: string, ...parameters: string[]): string {
    const db = program === 'ovn-nbctl' ? this.nb : this.sb;
    const patience = program === 'ovn-trace' ? [] : ['--timeout=20'];
    return this.run(`usr/bin/${program}`, `--db=${db}`, ...patience, ...parameters);
  }

  async restartNb(options = { empty: false }): Promise<void> {
    const server = this.running.get('nb');
    const gone = new Promise((resolve) => server?.once('exit', resolve));
    server?.kill('SIGKILL');
    await gone;
    rmSync(join(this.folder, 'nb.sock'), { force: true });
    if (options.empty) {
      rmSync(join(this.folder, 'nb.db'));
      this.create('nb');
    }
    await this.serve('nb');
  }

  stop(): void {
    for (const child of this.running.values()) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private create(name: string): void {
    const schema = join(this.root, `usr/share/ovn/ovn-${name}.ovsschema`);
    this.run(PROGRAMS.tool, 'create', join(this.folder, `${name}.db`), schema);
  }

  private async serve(name: string): Promise<void> {
    const socket = join(this.folder, `${name}.sock`);
    const control = join(this.folder, `${name}.ctl`);
    rmSync(control, { force: true });
    const file = join(this.folder, `${name}.db`);
    this.spawn(name, PROGRAMS.server, [`--remote=punix:${socket}`, `--unixctl=${control}`, file]);
    await untilExists(socket);
  }

  private spawn(name: string, program: string, parameters: readonly string[]): void {
    const [file, all] = commandLine(this.root, program, parameters);
    this.running.set(name, spawn(file, all, { stdio: 'ignore', env: this.env() }));
  }

  private run(program: string, ...parameters: string[]): string {
    const [file, all] = commandLine(this.root, program, parameters);
    return execFileSync(file, all, { encoding: 'utf8', env: this.env(), stdio: ['ignore', 'pipe', 'pipe'] });
  }

  private env(): NodeJS.ProcessEnv {
    return { ...process.env, OVS_RUNDIR: this.folder, OVN_RUNDIR: this.folder };
  }
}

/** Starts fresh databases; `northd: false` leaves out the translation to SB. */
export function startOvnDatabases(options: { readonly northd: boolean }): Promise<OvnDatabases> {
  return new Databases().start(options.northd);
}
