import { ERROR_CODE } from './protocol.js';

/** libvirt answered a call with an error of its own. */
export class LibvirtError extends Error {
  override readonly name = 'LibvirtError';
  /** virErrorNumber */
  readonly code: number;
  /** virErrorDomain: the part of libvirt that complains */
  readonly domain: number;

  constructor(code: number, domain: number, message: string) {
    super(message);
    this.code = code;
    this.domain = domain;
  }
}

/** The connection was lost, or libvirt did not answer in time: the outcome of the call is unknown. */
export class LibvirtUnreachable extends Error {
  override readonly name = 'LibvirtUnreachable';
}

export const isNoDomain = (error: unknown): boolean =>
  error instanceof LibvirtError && error.code === ERROR_CODE.noDomain;
export const isInvalidOperation = (error: unknown): boolean =>
  error instanceof LibvirtError && error.code === ERROR_CODE.operationInvalid;
export const isNoSecret = (error: unknown): boolean =>
  error instanceof LibvirtError && error.code === ERROR_CODE.noSecret;
