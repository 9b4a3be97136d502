/** What a cloud has from its first minute: images, flavors and a network, all made through its public API. */
import { join } from 'node:path';
import { run } from '../src/command.js';
import type { Deployment } from '../src/deployment.js';
import { originOf } from '../src/health.js';
import type { Progress } from '../src/progress.js';
import type { Secrets } from '../src/secrets.js';
import { seedExternal } from './external.js';
import { seedFlavors } from './flavors.js';
import { seedImages } from './images.js';
import { seedNetwork } from './network.js';
import { Session } from './session.js';

export async function seed(d: Deployment, secrets: Secrets, progress: Progress): Promise<void> {
  const origin = originOf(d);
  const folder = join(d.state, 'guest');
  await progress.step('guest images built', () => buildImages(d, folder));
  const [admin, demo] = await progress.step('signed in', () =>
    Promise.all([
      Session.open({ origin, user: 'admin', project: 'admin', password: secrets.text('admin-password') }),
      Session.open({ origin, user: 'demo', project: 'demo', password: secrets.text('demo-password') }),
    ]),
  );
  await progress.step('images tiny, tiny-alt', () => seedImages(admin, folder));
  await progress.step('flavors m1.nano, m1.micro, m1.tiny, m1.small', () => seedFlavors(admin));
  await progress.step('external network public', () => seedExternal(admin, d));
  await progress.step('network and router demo', () => seedNetwork(demo));
}

async function buildImages(d: Deployment, folder: string): Promise<void> {
  const env = { ...process.env, YAGURA_ROOTS: d.roots };
  await run([join(d.checkout, 'deploy', 'guest', 'build.sh'), folder], { env });
}
