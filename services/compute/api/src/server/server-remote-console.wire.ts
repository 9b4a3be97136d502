/** Consoles as Nova speaks of them: one call since 2.6, an action for each protocol before. */
import { type Static, Type } from 'typebox';
import { body, variants } from '#libs/wire';
import type { ConsoleType } from '#services/compute/domain';

const shut = { additionalProperties: false } as const;
const words = <W extends string>(...known: W[]) => Type.Union(known.map((word) => Type.Literal(word)));

const TYPES = ['novnc', 'xvpvnc', 'rdp-html5', 'spice-html5', 'serial'] as const;
const wanted = (protocols: readonly string[], types: readonly string[]) =>
  Type.Object({ remote_console: Type.Object({ protocol: words(...protocols), type: words(...types) }, shut) }, shut);

export const remoteConsoleBody = body(
  variants(
    ['2.6', wanted(['vnc', 'spice', 'rdp', 'serial'], TYPES)],
    ['2.8', wanted(['vnc', 'spice', 'rdp', 'serial', 'mks'], [...TYPES, 'webmks'])],
  ),
);

/** The actions of up to 2.5, with the types that each takes. */
export const CONSOLE_ACTIONS = {
  'os-getVNCConsole': ['novnc', 'xvpvnc'],
  'os-getSPICEConsole': ['spice-html5'],
  'os-getRDPConsole': ['rdp-html5'],
  'os-getSerialConsole': ['serial'],
} as const;
export type ConsoleAction = keyof typeof CONSOLE_ACTIONS;

export const consoleActionBody = (action: ConsoleAction) => {
  const type = Type.Object({ type: words(...CONSOLE_ACTIONS[action]) }, shut);
  return body(Type.Object({ [action]: type } as Record<ConsoleAction, typeof type>, shut));
};
export type WantedType = Static<ReturnType<typeof words>>;

/**
 * Where a browser goes. The screen's page is told the way to the websocket in `path`, as noVNC's own pages are, and so
 * can be found by tools that look for it there; a serial line is the websocket itself.
 */
export function consoleUrl(base: string, type: ConsoleType, token: string): string {
  const socket = `websockify?token=${token}`;
  if (type === 'serial') return `${base.replace(/^http/, 'ws')}/${socket}`;
  const { pathname } = new URL(base);
  return `${base}/vnc.html?path=${encodeURIComponent(`${pathname.slice(1)}/${socket}`)}`;
}
