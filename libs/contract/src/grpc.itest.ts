/** Advisory class 21: an internal hop refuses a wrong authority, an expired certificate and a missing one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fail, isFailure, runInContext } from '#libs/kernel';
import { bind, connectGrpc, serveGrpc } from '#libs/platform/grpc';
import { openLog } from '#libs/platform/log';
import { operatorV1 } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'grpc-'));
const openssl = (...parameters: string[]) => execFileSync('openssl', parameters, { cwd: folder, stdio: 'pipe' });
const log = openLog('test', 'silent');
const PORT = 47_811;
const AUTHORITY = `
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`;
const REQUEST = 'req-01234567-89ab-4cde-8f01-23456789abcd';

function authority(name: string): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.crt`,
    '-subj',
    `/CN=${name}`,
    '-days',
    '1',
  );
}

function certificate(name: string, ca = 'ca', file = name, expired = false) {
  openssl(
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${file}.key`,
    '-out',
    `${file}.csr`,
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=DNS:${name}`,
  );
  // The `ca` command is the one that takes dates, in every OpenSSL 3.
  const [from, to] = expired ? ['20200101000000Z', '20200102000000Z'] : ['20200101000000Z', '20990101000000Z'];
  writeFileSync(join(folder, `${file}.cnf`), AUTHORITY);
  writeFileSync(join(folder, 'index.txt'), '');
  openssl(
    'ca',
    '-batch',
    '-config',
    `${file}.cnf`,
    '-rand_serial',
    '-startdate',
    from,
    '-enddate',
    to,
    '-cert',
    `${ca}.crt`,
    '-keyfile',
    `${ca}.key`,
    '-in',
    `${file}.csr`,
    '-out',
    `${file}.crt`,
    '-notext',
  );
  return { ca: join(folder, 'ca.crt'), cert: join(folder, `${file}.crt`), key: join(folder, `${file}.key`) };
}

let stop: () => Promise<void>;

beforeAll(async () => {
  authority('ca');
  authority('stranger');
  const binding = bind(
    operatorV1.OperatorService,
    {
      status: (_request, peer) => ({ process: peer.name, version: peer.requestId, uptimeMs: 0, lines: [] }),
      books: () => {
        throw fail.conflict('not now – später', { type: 'Later' });
      },
      trace: () => {
        throw new Error('secret');
      },
    },
    (peer) => peer === 'cli' || peer === 'compute',
    log,
  );
  stop = await serveGrpc({ host: '127.0.0.1', port: PORT, tls: certificate('server'), log }, [binding]);
});
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

async function answer(
  tls: ReturnType<typeof certificate>,
  serverName = 'server',
  method: 'status' | 'books' | 'trace' = 'status',
) {
  const remote = connectGrpc(operatorV1.OperatorService, [`127.0.0.1:${PORT}`], serverName, tls);
  try {
    const call =
      method === 'trace' ? remote.trace({ id: 'x' }, { deadlineMs: 2_000 }) : remote[method]({}, { deadlineMs: 2_000 });
    return await runInContext({ requestId: REQUEST }, () => call);
  } catch (error) {
    return isFailure(error) ? error : String(error);
  } finally {
    remote.close();
  }
}

describe('a call between services', () => {
  it('knows the peer by its certificate and carries the request id', async () => {
    const remote = connectGrpc(operatorV1.OperatorService, [`127.0.0.1:${PORT}`], 'server', certificate('cli'));
    const reply = await runInContext({ requestId: REQUEST }, () => remote.status({}));
    remote.close();
    expect(reply).toMatchObject({ process: 'cli', version: REQUEST });
  });

  it('brings a failure over whole, and nothing of an unexpected error', async () => {
    const tls = certificate('compute');
    expect(await answer(tls, 'server', 'books')).toMatchObject({
      kind: 'conflict',
      message: 'not now – später',
      type: 'Later',
    });
    const hidden = await answer(tls, 'server', 'trace');
    expect(hidden).toMatchObject({ kind: 'internal' });
    expect(String(hidden)).not.toContain('secret');
  });

  it('is refused to a peer that is not allowed', async () => {
    expect(await answer(certificate('node-1'))).toMatchObject({ kind: 'forbidden' });
  });

  it('is refused to a certificate of another authority, an expired one, and none at all', async () => {
    expect(await answer(certificate('cli', 'stranger', 'forged'))).toMatchObject({ kind: 'unavailable' });
    expect(await answer(certificate('cli', 'ca', 'old', true))).toMatchObject({ kind: 'unavailable' });
    const client = new Client(`127.0.0.1:${PORT}`, credentials.createInsecure());
    const bare = await new Promise<unknown>((resolve) => client.waitForReady(Date.now() + 1_000, resolve));
    client.close();
    expect(bare).toBeInstanceOf(Error);
  });

  it('refuses a server that is not the one meant', async () => {
    expect(await answer(certificate('cli', 'ca', 'again'), 'identity')).toMatchObject({ kind: 'unavailable' });
  });
});
