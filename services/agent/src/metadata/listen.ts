/**
 * A listening socket of another network namespace, in this process. A short-lived child enters the namespace, listens,
 * hands the socket over and ends; a socket stays in the namespace it was made in.
 */
import { spawn } from 'node:child_process';
import type { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./listen-child.js', import.meta.url));
const LIMIT_MS = 15_000;

/** Has `server` listen at `address:port` inside the named namespace (as `ip netns` names them). */
export function listenIn(namespace: string, address: string, port: number, server: HttpServer): Promise<void> {
  const args = [`--net=/run/netns/${namespace}`, process.execPath, CHILD, address, String(port)];
  return new Promise((resolve, reject) => {
    const child = spawn('nsenter', args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = `${complaint}${chunk.toString()}`.slice(-500);
    });
    child.once('message', (_message, handle) => {
      server.once('error', reject);
      server.listen(handle as Server, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code !== 0) reject(new Error(`listening in namespace ${namespace} failed (${code}): ${complaint.trim()}`));
    });
  });
}
