import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { asStorageError } from '../../database';
import { IntegrationError } from '../../errors';
import { EDGE_LOGGER, type EdgeLogger } from '../edge/logger';
import { errorForLog } from '../logging';
import { knownError, problemOf, type Problem } from './problem';

/** Text that Postgres cannot hold: only a caller can have sent it (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const UNSTORABLE_TEXT = new Set(['22021', '22P05']);

export interface FailedRequest {
  readonly id: string;
  /** The route's template. */
  readonly route: string;
}

/** What a failure is called, what is logged of it, and how it is answered. */
@Injectable()
export class Problems {
  constructor(
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'production' | 'publicUrl'>,
    @Inject(EDGE_LOGGER) private readonly logger: EdgeLogger,
  ) {}

  understood(thrown: unknown): IntegrationError {
    const cause = driverErrorOf(thrown);
    const error = knownError(asStorageError(cause));
    return error.code === 'internal_error' && UNSTORABLE_TEXT.has(codeOf(cause))
      ? new IntegrationError('invalid_request', { cause: thrown })
      : error;
  }

  /** The answer; our own failures, and why a caller was not let in, are logged. */
  tell(error: IntegrationError, request: FailedRequest): Problem {
    const problem = problemOf(error, request.id, this.settings.publicUrl);
    if (problem.status >= 500) this.log(problem, error, request);
    return error.code === 'unauthorized' && error.cause !== undefined ? this.refused(problem, error.cause, request) : problem;
  }

  /** Why nobody was let in: the operator finds it in the log, whoever develops against the API in the answer. Production tells no caller. */
  private refused(problem: Problem, thrown: unknown, { route }: FailedRequest): Problem {
    const { message: cause } = errorForLog(thrown);
    this.logger.warn({ requestId: problem.requestId, code: problem.code, route, cause }, 'request refused');
    return this.settings.production ? problem : { ...problem, cause };
  }

  private log(problem: Problem, error: IntegrationError, { route }: FailedRequest): void {
    const line = { requestId: problem.requestId, code: problem.code, route, provider: error.provider };
    if (problem.code === 'internal_error') this.logger.error({ ...line, err: errorForLog(error.cause ?? error) }, 'request failed');
    else {
      const cause = error.cause === undefined ? {} : { err: errorForLog(error.cause) };
      this.logger.warn(
        { ...line, providerCode: error.providerCode, providerRequestId: error.providerRequestId, ...cause },
        'request failed',
      );
    }
  }
}

/** What every answer with this problem carries besides its body. */
export function problemHeaders({ status, retryAfter }: Problem): Record<string, string> {
  return {
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    'cache-control': 'no-store',
  };
}

/** TypeORM wraps what the driver said. */
function driverErrorOf(error: unknown): unknown {
  const driver = (error as { driverError?: unknown } | null)?.driverError;
  return driver instanceof Error ? driver : error;
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
