import type { Json, SandboxResponse } from '../sandbox.types';

const STATUS_NAMES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

/** https://developers.google.com/workspace/calendar/api/guides/errors */
export class GoogleFault extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
    private readonly extra: Json = {},
    private readonly domain = 'global',
  ) {
    super(message);
  }

  response(): SandboxResponse {
    return {
      status: this.status,
      headers: this.status === 401 ? { 'www-authenticate': 'Bearer realm="https://accounts.google.com/", error="invalid_token"' } : {},
      body: this.body(),
    };
  }

  body(): Json {
    const name = STATUS_NAMES[this.status];
    return {
      error: {
        code: this.status,
        message: this.message,
        errors: [{ message: this.message, domain: this.domain, reason: this.reason, ...this.extra }],
        ...(name && this.status !== 410 && this.status !== 412 ? { status: name } : {}),
      },
    };
  }
}

export function unauthenticated(): GoogleFault {
  return new GoogleFault(
    401,
    'authError',
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    { location: 'Authorization', locationType: 'header' },
  );
}

export function insufficientScope(): GoogleFault {
  return new GoogleFault(403, 'insufficientPermissions', 'Request had insufficient authentication scopes.');
}

export function notFound(what = 'Not Found'): GoogleFault {
  return new GoogleFault(404, 'notFound', what);
}

export function badRequest(message: string, parameter?: string): GoogleFault {
  return new GoogleFault(
    400,
    parameter ? 'invalidParameter' : 'badRequest',
    message,
    parameter ? { location: parameter, locationType: 'parameter' } : {},
  );
}

export function syncTokenGone(): GoogleFault {
  return new GoogleFault(
    410,
    'fullSyncRequired',
    'Sync token is no longer valid, a full sync is required.',
    { location: 'syncToken', locationType: 'parameter' },
    'calendar',
  );
}

export function googleErrorBody(status: number): Json {
  const reasons: Record<number, string> = {
    401: 'authError',
    403: 'forbidden',
    404: 'notFound',
    429: 'rateLimitExceeded',
    503: 'backendError',
  };
  return new GoogleFault(
    status,
    reasons[status] ?? 'backendError',
    status >= 500 ? 'Backend Error' : 'The request failed.',
    {},
    status === 429 ? 'usageLimits' : 'global',
  ).body();
}

/** Quota is 403 in the Calendar API's habit, 429 where asked for. */
export function rateLimited(status = 403): SandboxResponse {
  return new GoogleFault(status, 'rateLimitExceeded', 'Rate Limit Exceeded', {}, 'usageLimits').response();
}
