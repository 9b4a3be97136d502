/** `npm run up`: from whatever state the machine is in to a cloud that answers. Every step may be repeated. */
import { join } from 'node:path';
import { seed } from '../seed/seed.js';
import { bringUp, rootOf } from './bring-up.js';
import { Authority } from './certificates.js';
import { cloudsFile } from './clouds.js';
import { externalCidr, foldersFromEnvironment, settleDeployment } from './deployment.js';
import { parseUp, UP_USAGE, UsageError } from './options.js';
import { preflight } from './preflight.js';
import { startProgress } from './progress.js';
import { openSecrets } from './secrets.js';

async function main(): Promise<void> {
  const startedMs = Number(process.env['YAGURA_STARTED_MS'] ?? Date.now());
  const progress = startProgress(startedMs, Date.now, (text) => process.stdout.write(text));
  const folders = foldersFromEnvironment(process.env);
  const options = parseUp(process.argv.slice(2));
  const d = await settleDeployment(folders, options);
  await progress.step('machine checked', () => preflight(d));
  const secrets = openSecrets(d.state);
  const authority = new Authority(join(d.state, 'tls'));
  await progress.step('secrets and certificate authority', () => authority.open(d.id));
  await bringUp(d, secrets, authority, progress);
  const clouds = cloudsFile(d, secrets);
  await seed(d, secrets, progress);
  await progress.step('stock client', () => rootOf(d, 'client'));
  progress.say(`
Yagura is up after ${progress.elapsedS.toFixed(0)} s.
  endpoint   ${d.publicUrl}
  clouds     yagura-admin, yagura-demo (in ${clouds})
  external   network public, ${externalCidr(d)}: this machine reaches its floating IPs
Try:
  export OS_CLIENT_CONFIG_FILE=${clouds} OS_CLOUD=yagura-demo
  deploy/bin/openstack server create --image tiny --flavor m1.nano --network demo --wait first
  deploy/bin/openstack console log show first
  deploy/bin/yagura status
(deploy/bin/openstack is Debian's client from the cloud's own root; one of this machine works as well.)`);
}

main().catch((error: unknown) => {
  console.error(error instanceof UsageError ? `${error.message}\n\n${UP_USAGE}` : `\n${(error as Error).message}\n`);
  if (process.env['YAGURA_DEBUG']) console.error(error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
