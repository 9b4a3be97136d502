/** HAProxy: one origin, a prefix per service, and nothing of what only services may say to each other comes in. */
import type { ConfigFiles } from './config-folder.js';
import { controllerAddress, type Deployment } from './deployment.js';
import { CONSOLE, SERVED } from './layout.js';

/**
 * Headers by which middleware of other clouds passes a verified identity on. Nothing of ours reads them; they end here
 * all the same, with every name that has an underscore, which some servers take for a dash.
 */
export const FORBIDDEN =
  '^(x-(user|project|tenant|domain|role|roles|identity|service-(user|project|tenant|domain|role|roles|identity)|is-admin|system|trust|key-manager)([-_].*)?|openstack-system-scope|forwarded|x-forwarded-.*|x-real-ip|.*_.*)$';

export function edgeFiles(d: Deployment): ConfigFiles {
  const services = [...new Set(SERVED.map((s) => s.service))];
  const { protocol, host } = new URL(d.publicUrl);
  const text = `global
  maxconn 4000
  nbthread 1
  user haproxy
  group haproxy
  stats socket /run/haproxy.sock mode 600
  log stdout format raw local0 warning
  tune.bufsize 32768

defaults
  mode http
  log global
  option dontlog-normal
  option http-keep-alive
  option redispatch
  option forwardfor
  retries 5
  retry-on conn-failure
  timeout connect 1s
  timeout client 120s
  timeout http-request 15s
  timeout http-keep-alive 60s
  timeout queue 10s
  timeout server 120s
  timeout check 2s

frontend origin
  bind ${d.bind}:${d.port}
  http-request deny status 400 if { req.hdr_cnt(host) gt 1 }
  http-request del-header ${FORBIDDEN} -m reg
  http-request set-header X-Forwarded-Proto ${protocol.replace(':', '')}
  http-request set-header X-Forwarded-Host ${host}
${services.map((s) => `  acl is-${s} path /${s}\n  acl is-${s} path_beg /${s}/`).join('\n')}
  http-request deny status 404 if { path_reg ^/[a-z]+/+((healthz|metrics)/*$|blobs/) }
${services.map((s) => `  use_backend ${s} if is-${s}`).join('\n')}
  default_backend nowhere

backend nowhere
  http-request return status 404 content-type application/json string '{"error":{"code":404,"title":"Not Found","message":"The resource could not be found."}}'
${services.map((s) => backend(d, s)).join('')}`;
  return { 'haproxy.cfg': { text, open: true } };
}

/** A service with two processes is balanced by their health; one alone is waited for while it comes back. */
function backend(d: Deployment, service: string): string {
  const processes = SERVED.filter((s) => s.service === service);
  const several = processes.length > 1;
  const lines = [
    `backend ${service}`,
    `http-request set-header X-Forwarded-Prefix /${service}`,
    `http-request replace-path ^/${service}/*(.*)$ /\\1`,
    ...(several ? ['balance roundrobin', 'option httpchk GET /healthz'] : []),
    // An image may take long to come in, and long to be looked through after its last byte.
    ...(service === CONSOLE.service ? ['timeout tunnel 8h', 'option httpclose'] : []),
    ...(service === 'image' ? ['timeout server 30m'] : ['option http-buffer-request']),
    ...processes.map(
      (p) =>
        `server ${p.process} ${controllerAddress(d)}:${p.http} maxconn 1000${several ? ' check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions' : ''}`,
    ),
  ];
  return `\n${lines.map((line, i) => (i === 0 ? line : `  ${line}`)).join('\n')}\n`;
}
