import { Catch, Inject, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { PageFrames, type PageFrame } from '../frame/page-frames';
import { html, htmlPage } from '../html';
import { productLink } from '../sessions/session-pages';
import { errorIn } from './error-words';
import { PROBLEM_JSON, type Problem } from './problem';
import { problemHeaders, Problems } from './problems';
import type { EdgeRequest } from '../request';
import { ownRoute, ownUrl } from '../edge/base-path';
import { RouteTable } from '../edge/route-table';

/** Every failure leaves in one shape: problem+json, or the same words as a page where a person's browser asked for one. */
@Catch()
@Injectable()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly problems: Problems,
    private readonly routes: RouteTable,
    private readonly frames: PageFrames,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<EdgeRequest>(), http.getResponse<FastifyReply>());
  }

  /** Also of what failed before a controller was reached. */
  answer(thrown: unknown, request: EdgeRequest, reply: FastifyReply): void {
    const error = this.understood(thrown, request, reply);
    const problem = this.problems.tell(error, { id: request.id, route: ownRoute(request) ?? 'unknown' });

    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy(); // a broken stream must not look like a whole answer
      return;
    }
    reply.status(problem.status).headers(problemHeaders(problem));
    if (wantsPage(request))
      void reply.type('text/html; charset=utf-8').send(problemPage(problem, this.frames.of(request), this.settings.productUrl));
    else void reply.type(PROBLEM_JSON).send(JSON.stringify(problem));
  }

  private understood(thrown: unknown, request: EdgeRequest, reply: FastifyReply): IntegrationError {
    const error = this.problems.understood(thrown);
    const allowed = request.is404 ? this.routes.methodsAt(request.url) : [];
    if (error.code !== 'not_found' || allowed.length === 0) return error;
    reply.header('allow', allowed.join(', '));
    return new IntegrationError('method_not_allowed');
  }
}

/** A browser that shows a page, and not one of the API's or a provider's calls. */
function wantsPage(request: EdgeRequest): boolean {
  return Boolean(request.headers.accept?.includes('text/html')) && !/^\/(v1|webhooks)\//.test(ownUrl(request));
}

function problemPage(problem: Problem, frame: PageFrame, productUrl: string | undefined): string {
  const { language } = frame;
  const { title, detail, nextStep } = errorIn(language, problem);
  return htmlPage(
    title,
    html`<p>${detail}</p>
      <p>${nextStep}</p>
      ${problem.status === 401 && productLink(productUrl, language)}
      <p>
        <small><a href="${problem.type}">${problem.code}</a> · ${problem.requestId}</small>
      </p>`,
    frame,
  );
}
