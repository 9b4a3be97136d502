import type { Deployment } from './deployment.js';
import type { Progress } from './progress.js';
import type { Secrets } from './secrets.js';
export async function seed(_d: Deployment, _s: Secrets, _p: Progress): Promise<void> {}
