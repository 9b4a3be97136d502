/** Tokens that open a console of a server. */

export const CONSOLE_TYPES = ['novnc', 'serial'] as const;
export type ConsoleType = (typeof CONSOLE_TYPES)[number];

/** How nodes call what is behind each type. */
export const CONSOLE_KINDS: Readonly<Record<ConsoleType, 'vnc' | 'serial'>> = { novnc: 'vnc', serial: 'serial' };

/** Milliseconds in which a token has to be used. */
export const CONSOLE_TOKEN_MS = 600_000;

export interface ConsoleToken {
  readonly serverId: string;
  /** Where the server was when the token was made. */
  readonly node: string;
  readonly type: ConsoleType;
  readonly expiresAt: Date;
}
