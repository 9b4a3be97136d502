/** Names of servers as names of hosts. */

const MAX = 63;

/** What a guest is called: the server's name with everything that DNS does not know left out. */
export function hostnameFrom(name: string, id: string): string {
  const tidy = name
    .normalize('NFKD')
    .replace(/[\s_.]+/g, '-')
    .replace(/[^A-Za-z0-9-]/g, '')
    .toLowerCase()
    .replace(/^-+/, '')
    .slice(0, MAX)
    .replace(/-+$/, '');
  return tidy || `server-${id}`.slice(0, MAX);
}

/** The same for one of many: the number survives the cut. */
export function numberedHostname(name: string, number: number, id: string): string {
  const suffix = `-${number}`;
  return `${hostnameFrom(name, id).slice(0, MAX - suffix.length)}${suffix}`;
}
