import { Catch, Inject, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { SETTINGS } from '../config/config.module';
import type { Settings } from '../config/env';
import { asStorageError } from '../database';
import { IntegrationError } from '../errors';
import { html, htmlPage } from './html';
import { errorForLog } from './logging';
import { knownError, PROBLEM_JSON, problemOf, type Problem } from './problem';
import type { EdgeRequest } from './request';
import { EDGE_LOGGER, type EdgeLogger } from './edge-logger';
import { RouteTable } from './route-table';

/** Text that Postgres cannot hold: only a caller can have sent it (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const UNSTORABLE_TEXT = new Set(['22021', '22P05']);

/** Every failure leaves in one shape: problem+json, or the same words as a page where a person's browser asked for one. */
@Catch()
@Injectable()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(EDGE_LOGGER) private readonly logger: EdgeLogger,
    private readonly routes: RouteTable,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<EdgeRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = this.understood(thrown, request, reply);
    const problem = problemOf(error, request.id, this.settings.publicUrl);
    if (problem.status >= 500) this.log(problem, error, request);

    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy(); // a broken stream must not look like a whole answer
      return;
    }
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
    if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter));
    reply.status(problem.status).header('cache-control', 'no-store');
    if (wantsPage(request)) void reply.type('text/html; charset=utf-8').send(problemPage(problem));
    else void reply.type(PROBLEM_JSON).send(JSON.stringify(problem));
  }

  private understood(thrown: unknown, request: EdgeRequest, reply: FastifyReply): IntegrationError {
    const error = knownError(asStorageError(driverErrorOf(thrown)));
    if (error.code === 'internal_error' && UNSTORABLE_TEXT.has(codeOf(driverErrorOf(thrown))))
      return new IntegrationError('invalid_request', { cause: thrown });
    const allowed = request.is404 ? this.routes.methodsAt(request.url) : [];
    if (error.code !== 'not_found' || allowed.length === 0) return error;
    reply.header('allow', allowed.join(', '));
    return new IntegrationError('method_not_allowed');
  }

  private log(problem: Problem, error: IntegrationError, request: EdgeRequest): void {
    const line = {
      requestId: problem.requestId,
      code: problem.code,
      route: request.routeOptions.url ?? 'unknown',
      provider: error.provider,
    };
    if (problem.code === 'internal_error') this.logger.error({ ...line, err: errorForLog(error.cause ?? error) }, 'request failed');
    else this.logger.warn({ ...line, providerCode: error.providerCode, providerRequestId: error.providerRequestId }, 'request failed');
  }
}

/** A browser that shows a page, and not one of the API's or a provider's calls. */
function wantsPage(request: EdgeRequest): boolean {
  return Boolean(request.headers.accept?.includes('text/html')) && !/^\/(v1|webhooks)\//.test(request.url);
}

function problemPage(problem: Problem): string {
  return htmlPage(
    problem.title,
    html`<p>${problem.detail}</p>
      <p>${problem.nextStep}</p>
      <p>
        <small><a href="${problem.type}">${problem.code}</a> · ${problem.requestId}</small>
      </p>`,
  );
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
