import pino, { type DestinationStream, type Logger as Pino } from 'pino';
import type { Settings } from '../config/env';
import { redacted } from '../redaction';
import { requestContext } from '../request-context';
import { traceIdInHand } from '../tracing';

/** Anywhere near the top of what is logged. Nothing logs these on purpose; this is the second lock. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'set-cookie',
  'token',
  'accessToken',
  'refreshToken',
  'access_token',
  'refresh_token',
  'apiKey',
  'clientSecret',
  'client_secret',
  'code',
  'state',
  'session',
  'password',
  'secret',
  'body',
  'rawBody',
  'headers',
];
/** `code` is also what errors call their kind: harmless, and needed. */
const KEPT_AT_TOP = new Set(['code', 'state']);
const REDACT = SECRET_FIELDS.flatMap((field) => {
  const path = /^\w+$/.test(field) ? field : `["${field}"]`;
  return KEPT_AT_TOP.has(field) ? [] : [path, path.startsWith('[') ? `*${path}` : `*.${path}`];
});

/** The one logger: JSON lines on stdout, secrets taken out, the request's id on every line of it. */
export function createLogger(settings: Pick<Settings, 'logLevel'>, destination?: DestinationStream): Pino {
  return pino(
    {
      level: settings.logLevel,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: lineContext,
      // the last thing that happens to a line: by value, at any depth, in texts and causes too
      hooks: { streamWrite: (line) => redacted(line) },
      redact: { paths: REDACT, censor: '[redacted]' },
      serializers: { err: errorForLog, error: errorForLog },
    },
    destination ?? pino.destination({ dest: 1, sync: false }),
  );
}

/** The caller is on every line; its address is the audit's. */
function lineContext(): object {
  const { requestId, traceId = traceIdInHand(), principal } = requestContext.getStore() ?? {};
  return {
    ...(requestId !== undefined && { requestId }),
    ...(traceId !== undefined && { traceId }),
    ...(principal && { tenant: principal.tenant, userId: principal.userId, role: principal.role }),
  };
}

/** Where it happened and why, without what an error may carry along (a query's parameters, an answer's body). */
export function errorForLog(error: unknown, depth = 3): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: withoutQueries(thrownText(error)) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: withoutQueries(error.message),
    ...(typeof code === 'string' && { code }),
    stack: error.stack && withoutQueries(error.stack),
    ...(error.cause !== undefined && depth > 0 && { cause: errorForLog(error.cause, depth - 1) }),
  };
}

/** Of something thrown that is no Error: its text, or its members' names; their values may be anybody's. */
function thrownText(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return `${typeof thrown} thrown: ${String(thrown)}`;
  const { message } = thrown as { message?: unknown };
  return typeof message === 'string' ? message : `object thrown, with ${Object.keys(thrown).slice(0, 20).join(', ') || 'no members'}`;
}

/** Query strings hold `code`, `state`, `session` and `token`. */
function withoutQueries(text: string): string {
  return text.replace(/(\b(?:code|state|session|token|access_token|refresh_token|client_secret)=)[^&\s"']+/gi, '$1[redacted]');
}
