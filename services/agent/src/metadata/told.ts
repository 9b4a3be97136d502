/** What a guest is told of itself and may change while it runs: taken over from one spec into another. Pure. */
import type { ServerSpec } from './documents.js';

/** Interfaces stay those of `spec`: what is plugged is not changed by talking of it. */
export function toldAs(spec: ServerSpec, source: ServerSpec): ServerSpec {
  const { name, hostname, metadata, guestPassword, news } = source;
  const nics = spec.nics.map((nic) => {
    const told = source.nics.find(({ portId }) => portId === nic.portId);
    return told ? { ...nic, fixedIps: told.fixedIps, securityGroups: told.securityGroups } : nic;
  });
  return { ...spec, nics, name, hostname, metadata, guestPassword, news };
}
