import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, DEMO, OTHER, openStage, type Stage } from '../compute.fixture.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const make = (keypair: Record<string, unknown>, at = '2.1', as = DEMO) =>
  stage.ask('POST', '/v2.1/os-keypairs', { at, as, body: { keypair } });

const part = (...parts: readonly Buffer[]): Buffer =>
  Buffer.concat(
    parts.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
const ed25519 = (): string => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return `ssh-ed25519 ${part(Buffer.from('ssh-ed25519'), raw).toString('base64')} me@here`;
};
const ecdsa = (): string => {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([
    Buffer.from([4]),
    Buffer.from(jwk.x ?? '', 'base64url'),
    Buffer.from(jwk.y ?? '', 'base64url'),
  ]);
  return `ecdsa-sha2-nistp256 ${part(Buffer.from('ecdsa-sha2-nistp256'), Buffer.from('nistp256'), point).toString('base64')}`;
};

describe('making key pairs', () => {
  it('makes an RSA key and shows the private half once', async () => {
    const made = await make({ name: 'made' });
    expect(made.status).toBe(200);
    const { private_key, public_key, fingerprint, user_id } = made.body.keypair;
    expect(user_id).toBe('user-demo');
    expect(private_key).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    const blob = Buffer.from(public_key.split(' ')[1], 'base64');
    expect(fingerprint).toBe(createHash('md5').update(blob).digest('hex').match(/../g)?.join(':'));
    const { n = '' } = createPublicKey(private_key).export({ format: 'jwk' });
    expect(blob.includes(Buffer.from(n, 'base64url'))).toBe(true);
    const shown = await stage.ask('GET', '/v2.1/os-keypairs/made');
    expect(shown.body.keypair).toMatchObject({
      name: 'made',
      public_key,
      fingerprint,
      deleted: false,
      deleted_at: null,
    });
    expect(shown.body.keypair).not.toHaveProperty('private_key');
    expect(JSON.stringify(await stage.scratch.db.query('select * from keypair'))).not.toContain('PRIVATE');
  });

  it('imports keys of the usual types', async () => {
    for (const [name, public_key] of [
      ['ed', ed25519()],
      ['ec', ecdsa()],
    ]) {
      const made = await make({ name, public_key }, '2.2');
      expect([made.status, made.body.keypair.type, made.body.keypair.private_key]).toEqual([201, 'ssh', undefined]);
    }
  });

  it('makes certificates that OpenSSL understands', async () => {
    const made = await make({ name: 'cert', type: 'x509' }, '2.2');
    const certificate = new X509Certificate(made.body.keypair.public_key);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(made.body.keypair.fingerprint).toBe(certificate.fingerprint.toLowerCase());
    const again = await make({ name: 'imported', type: 'x509', public_key: made.body.keypair.public_key }, '2.2');
    expect(again.body.keypair).toMatchObject({ type: 'x509', fingerprint: certificate.fingerprint.toLowerCase() });
  });

  it.each([
    [{ name: 'x', public_key: 'ssh-rsa JUNK nova@ubuntu' }, '2.1', 400],
    [{ name: 'x', public_key: ' ' }, '2.1', 400],
    [{ name: 'x', public_key: `ssh-rsa ${'A'.repeat(2048)} openstack@ubuntu` }, '2.1', 400],
    [{ name: 'x', public_key: 'ssh-dss AAAAB3NzaC1kc3MAAACBAA==' }, '2.1', 400],
    [{ name: 'x', public_key: `${'ssh-ed25519 AAAA'}\ncommand="evil"` }, '2.1', 400],
    [{ name: 'x', public_key: 'not a certificate', type: 'x509' }, '2.2', 400],
    [{ name: '' }, '2.1', 400],
    [{ name: 'keypair-'.padEnd(260, '0') }, '2.1', 400],
    [{ name: 'key_/.\\@:' }, '2.1', 400],
    [{ name: 'a.b@c' }, '2.91', 400],
    [{ name: 'x' }, '2.92', 400],
    [{ name: 'x', type: 'ssh' }, '2.1', 400],
    [{ name: 'x', type: 'pgp' }, '2.2', 400],
    [{ name: 'x', user_id: 'user-demo' }, '2.9', 400],
    [{ name: 'x', user_id: 'user-other' }, '2.10', 403],
    [{ name: 'made' }, '2.1', 409],
    [{}, '2.1', 400],
  ])('answers %j at %s with %i', async (keypair, at, status) => {
    expect((await make(keypair, at)).status).toBe(status);
  });

  it('takes further characters in names from 2.92 on', async () => {
    expect((await make({ name: 'a.b@c', public_key: ed25519() }, '2.92')).status).toBe(201);
  });
});

describe('keeping key pairs', () => {
  it('is a matter of each user, and of administrators from 2.10 on', async () => {
    expect(
      (await make({ name: 'theirs', user_id: 'user-other', public_key: ed25519() }, '2.10', ADMIN)).body.keypair
        .user_id,
    ).toBe('user-other');
    expect((await stage.ask('GET', '/v2.1/os-keypairs/theirs')).status).toBe(404);
    expect((await stage.ask('GET', '/v2.1/os-keypairs/theirs', { as: OTHER })).status).toBe(200);
    expect((await stage.ask('GET', '/v2.1/os-keypairs?user_id=user-other', { as: DEMO, at: '2.10' })).status).toBe(403);
    const own = await stage.ask('GET', '/v2.1/os-keypairs?user_id=user-other', { as: DEMO, at: '2.9' });
    expect(own.body.keypairs.length).toBeGreaterThan(3);
    const listed = await stage.ask('GET', '/v2.1/os-keypairs?user_id=user-other', { as: ADMIN, at: '2.10' });
    expect(listed.body.keypairs.map(({ keypair }: { keypair: { name: string } }) => keypair.name)).toEqual(['theirs']);
    const gone = await stage.ask('DELETE', '/v2.1/os-keypairs/theirs?user_id=user-other', { as: ADMIN, at: '2.10' });
    expect([gone.status, gone.body]).toEqual([204, undefined]);
    expect((await stage.ask('DELETE', '/v2.1/os-keypairs/theirs', { as: OTHER })).status).toBe(404);
    expect((await stage.ask('DELETE', '/v2.1/os-keypairs/ed')).status).toBe(202);
  });

  it('pages from 2.35 on', async () => {
    const first = await stage.ask('GET', '/v2.1/os-keypairs?limit=1', { at: '2.35' });
    expect(first.body.keypairs_links[0].href).toMatch(/limit=1&marker=/);
    const all = await stage.ask('GET', '/v2.1/os-keypairs?limit=1', { at: '2.34' });
    expect(all.body.keypairs.length).toBeGreaterThan(1);
    expect((await stage.ask('GET', '/v2.1/os-keypairs?marker=none', { at: '2.35' })).status).toBe(400);
  });

  it('is limited by quota, also under concurrency', async () => {
    await stage.ask('PUT', '/v2.1/os-quota-sets/project-keys', { as: ADMIN, body: { quota_set: { key_pairs: 3 } } });
    const caller = { ...DEMO, user: 'user-keys', project: 'project-keys' };
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => make({ name: `k${index}`, public_key: ed25519() }, '2.1', caller)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 403, 403, 403, 403, 403]);
  });

  it('gives a server its key', async () => {
    const id = await stage.boot({ body: { key_name: 'ec' } });
    expect((await stage.ask('GET', `/v2.1/servers/${id}`)).body.server.key_name).toBe('ec');
    const row = await stage.books.servers.find(stage.scratch.db, id);
    expect(row?.keyData).toMatch(/^ecdsa-sha2-nistp256 /);
  });
});
