/** Control groups that are left when a cloud is down, in either layout (one hierarchy, or one per controller). */
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupOf } from './container.js';
import type { Deployment } from './deployment.js';
import { until } from './waiting.js';

const ROOT = '/sys/fs/cgroup';

export async function removeCgroups(d: Deployment): Promise<void> {
  const hierarchies = [
    ROOT,
    ...readdirSync(ROOT, { withFileTypes: true })
      .filter((e) => e.isDirectory())
      .map((e) => join(ROOT, e.name)),
  ];
  for (const group of hierarchies.map((hierarchy) => join(hierarchy, cgroupOf(d))).filter(existsSync)) {
    if (!(await until(3_000, 100, () => removeTree(group)))) throw new Error(`${group} still holds processes`);
  }
}

/** A control group's folder can be removed once its children are gone; its files vanish with it. */
function removeTree(group: string): boolean {
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(group, entry.name));
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}
