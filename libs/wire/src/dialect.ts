/**
 * How each API words an error. One table of statuses by kind, with the few places where the dialects differ;
 * everything else in the product speaks of kinds alone.
 */
import { type ErrorKind, type Failure, fail, publicMessage } from '#libs/kernel';
import { type Microversion, negotiate, type VersionSpace, versionHeaders } from './microversion.js';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface Fault {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

/** What the registrar needs to know of an API's manners. */
export interface Dialect {
  readonly name: string;
  /** Who may not call is told so before the body is looked at, where no target has to be looked up for it. */
  readonly policyFirst?: boolean;
  /** What is said of a body that is no JSON, or none. */
  readonly malformed?: string;
  /** 0 where the API has no microversions. */
  negotiate(headers: Headers): Microversion;
  /** Refuses what the API does not take whatever the operation: media types, mostly. */
  admit?(method: string, headers: Headers): void;
  /** Headers of every answer. */
  headers(version: Microversion | undefined, requestId: string): Record<string, string>;
  fault(error: Failure, requestId: string, version: Microversion | undefined): Fault;
}

const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  methodNotAllowed: 405,
  notAcceptable: 406,
  conflict: 409,
  gone: 410,
  preconditionFailed: 412,
  tooLarge: 413,
  unsupportedMedia: 415,
  overQuota: 403,
  rateLimited: 429,
  notImplemented: 501,
  unavailable: 503,
  fenced: 409,
  internal: 500,
};

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

interface Style {
  readonly name: string;
  readonly space?: VersionSpace;
  /** Statuses that differ from the common table. */
  readonly status?: Partial<Record<ErrorKind, number>>;
  /** A further header that carries the request id. */
  readonly requestIdHeader?: string;
  body(error: Failure, status: number, requestId: string, version: Microversion | undefined): unknown;
}

/** The authentication filter in front of every service words a 401, whatever the service's own shape. */
const unauthorizedBody = (message: string) => ({ error: { code: 401, title: 'Unauthorized', message } });

function dialect(style: Style): Dialect {
  const { space } = style;
  return {
    name: style.name,
    negotiate: (headers) => (space ? negotiate(space, headers) : 0),
    headers(version, requestId) {
      const headers: Record<string, string> = space ? versionHeaders(space, version) : {};
      headers['X-Openstack-Request-Id'] = requestId;
      if (style.requestIdHeader) headers[style.requestIdHeader] = requestId;
      return headers;
    },
    fault(error, requestId, version) {
      const status = style.status?.[error.kind] ?? STATUS[error.kind];
      const headers: Record<string, string> = {};
      if (error.retryAfter !== undefined) headers['Retry-After'] = String(error.retryAfter);
      if (status === 401) headers['WWW-Authenticate'] = 'Keystone uri="/identity"';
      const body =
        status === 401 ? unauthorizedBody(publicMessage(error)) : style.body(error, status, requestId, version);
      return { status, headers, body };
    },
  };
}

const NOVA_NAMES: Record<number, string> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
};

export const novaDialect = (space: VersionSpace): Dialect =>
  dialect({
    name: 'nova',
    space,
    requestIdHeader: 'X-Compute-Request-Id',
    body: (error, status) => ({
      [NOVA_NAMES[status] ?? 'computeFault']: {
        code: status,
        message: publicMessage(error),
        ...(error.retryAfter === undefined ? {} : { retryAfter: String(error.retryAfter) }),
      },
    }),
  });

const NEUTRON_TYPES: Partial<Record<ErrorKind, string>> = {
  invalid: 'HTTPBadRequest',
  forbidden: 'PolicyNotAuthorized',
  notFound: 'HTTPNotFound',
  methodNotAllowed: 'HTTPMethodNotAllowed',
  conflict: 'Conflict',
  preconditionFailed: 'RevisionNumberConstraintFailed',
  overQuota: 'OverQuota',
  notImplemented: 'HTTPNotImplemented',
  unavailable: 'ServiceUnavailable',
  tooLarge: 'HTTPRequestEntityTooLarge',
  unsupportedMedia: 'HTTPUnsupportedMediaType',
};

export const neutronDialect: Dialect = dialect({
  name: 'neutron',
  status: { overQuota: 409 },
  body: (error) => ({
    NeutronError: {
      type: error.type ?? NEUTRON_TYPES[error.kind] ?? 'HTTPInternalServerError',
      message: publicMessage(error),
      detail: '',
    },
  }),
});

export const keystoneDialect: Dialect = dialect({
  name: 'keystone',
  body: (error, status) => ({
    error: { code: status, message: publicMessage(error), title: TITLES[status] ?? 'Error' },
  }),
});

export const glanceDialect: Dialect = dialect({
  name: 'glance',
  status: { overQuota: 413 },
  body: (error, status) => ({
    message: publicMessage(error),
    code: `${status} ${TITLES[status] ?? 'Error'}`,
    title: TITLES[status] ?? 'Error',
  }),
});

const PLACEMENT_CODES_SINCE = 1023;

export const placementDialect = (space: VersionSpace): Dialect => ({
  ...dialect({
    name: 'placement',
    space,
    body: (error, status, requestId, version) => ({
      errors: [
        {
          status,
          title: TITLES[status] ?? 'Error',
          detail: publicMessage(error),
          request_id: requestId,
          ...((version ?? 0) >= PLACEMENT_CODES_SINCE ? { code: error.type ?? 'placement.undefined_code' } : {}),
          ...(status === 406 && version === undefined ? { max_version: space.max, min_version: space.min } : {}),
        },
      ],
    }),
  }),
  policyFirst: true,
  malformed: 'Malformed JSON: the body of the request is no JSON document.',
  admit: admitJson,
});

/** Whether one of the media ranges of an Accept header takes JSON. */
const acceptsJson = (accept: string): boolean =>
  accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))) return false;
    return type === 'application/json' || type === 'application/*' || type === '*/*' || type === '*';
  });

function admitJson(method: string, headers: Headers): void {
  const { accept, 'content-type': type, 'content-length': length } = headers;
  if (method === 'GET' && typeof accept === 'string' && accept.trim() && !acceptsJson(accept))
    throw fail.notAcceptable('Only application/json is provided');
  if (!type && Number(length) > 0) throw fail.invalid('content-type header required when content-length > 0');
}
