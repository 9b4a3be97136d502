/**
 * The screen and the serial line of a running guest. QEMU's VNC listens on a unix socket in libvirt's own folder, so that
 * nobody reaches it but this node's administrator and the agent; the serial line goes through libvirt, which knows who
 * has it, and takes it from whoever had it before.
 */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { fail } from '#libs/kernel';
import type { Libvirt } from '../libvirt/client.js';
import { isNoDomain, LibvirtError } from '../libvirt/errors.js';
import { type DomainRef, PROCEDURES } from '../libvirt/protocol.js';

export type ConsoleKind = 'vnc' | 'serial';

const TAKE_OVER = 1;
const VNC_SOCKET = /<graphics type='vnc'[^>]* socket='([^']+)'/;

/** Throws `notFound` without the domain, `conflict` where it does not run or has no such console. */
export async function openGuestConsole(libvirt: Libvirt, serverId: string, kind: ConsoleKind): Promise<Duplex> {
  try {
    const domain = await libvirt.call(PROCEDURES.lookupByUuid, { uuid: serverId });
    if (domain.id < 0) throw fail.conflict(`server ${serverId} does not run`);
    return kind === 'vnc' ? await openScreen(libvirt, domain) : await openSerial(libvirt, domain);
  } catch (error) {
    if (isNoDomain(error)) throw fail.notFound(`no server ${serverId} is on this node`);
    if (error instanceof LibvirtError) throw fail.conflict(`server ${serverId} has no such console`, { cause: error });
    throw error;
  }
}

const openSerial = (libvirt: Libvirt, domain: DomainRef): Promise<Duplex> =>
  libvirt.openStream(PROCEDURES.openConsole, { domain, flags: TAKE_OVER });

async function openScreen(libvirt: Libvirt, domain: DomainRef): Promise<Duplex> {
  const xml = await libvirt.call(PROCEDURES.xml, { domain, flags: 0 });
  const path = VNC_SOCKET.exec(xml)?.[1];
  if (path === undefined) throw fail.conflict(`server ${domain.uuid} has no screen`);
  const socket = connect({ path });
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error) => reject(fail.conflict(`the screen of ${domain.uuid} is not there`, { cause }));
    socket.once('error', refuse);
    socket.once('connect', () => {
      socket.off('error', refuse);
      resolve(socket);
    });
  });
}
