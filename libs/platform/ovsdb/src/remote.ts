/**
 * Where a server listens, in the notation of OVS: `unix:PATH`, `tcp:HOST:PORT`,
 * `ssl:HOST:PORT`; several separated by commas. IPv6 addresses stand in brackets.
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { OvsdbError } from './errors.js';

export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
  /**
   * The name that the server's certificate must carry. Without it any certificate
   * of the CA passes: the PKI of OVS writes no host names into certificates.
   */
  readonly serverName?: string;
}

export type Remote =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number };

function parseRemote(text: string): Remote {
  const unix = /^unix:(.+)$/.exec(text);
  if (unix?.[1] !== undefined) return { kind: 'unix', path: unix[1] };
  const inet = /^(tcp|ssl):(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = inet?.[2] ?? inet?.[3];
  const port = Number(inet?.[4]);
  if (inet === null || host === undefined || port < 1 || port > 65535) {
    throw new OvsdbError('protocol', `not an OVSDB remote: ${text}`);
  }
  return { kind: inet[1] === 'ssl' ? 'ssl' : 'tcp', host, port };
}

/** Reads one remote or a comma-separated list; throws on anything else. */
export function parseRemotes(text: string): readonly Remote[] {
  return text.split(',').map((part) => parseRemote(part.trim()));
}

/** Opens a socket; certificates are read anew each time, so that they may be renewed on disk. */
export function dial(remote: Remote, files: TlsFiles | undefined): net.Socket {
  if (remote.kind === 'unix') return net.connect({ path: remote.path });
  const { host, port } = remote;
  if (remote.kind === 'tcp') return net.connect({ host, port, noDelay: true });
  if (files === undefined) throw new OvsdbError('protocol', 'an ssl remote needs tls files');
  const { serverName } = files;
  return tls.connect({
    host,
    port,
    key: readFileSync(files.key),
    cert: readFileSync(files.cert),
    ca: readFileSync(files.ca),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    checkServerIdentity: (_host, cert) =>
      serverName === undefined ? undefined : tls.checkServerIdentity(serverName, cert),
  });
}

/** The event that tells that a socket of this remote may be written to. */
export function openedEvent(remote: Remote): 'connect' | 'secureConnect' {
  return remote.kind === 'ssl' ? 'secureConnect' : 'connect';
}
