import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { ACCESS, BROWSER_TOKENS, NEEDED_ROLE, SUPPORT_READS, type Access } from './access.decorators';
import { BearerCallers } from './bearer-callers';
import { BrowserSessions } from '../sessions/browser-sessions';
import { holdTo } from './held-caller';
import { roleReaches, type Role, type SessionPrincipal } from './principal';
import { sameSecret } from '../sessions/csrf';
import { EdgeLimits } from '../edge/edge-limits';
import type { EdgeRequest } from '../request';

/** In a process where Trestle runs by itself and within another application too, it stands before a controller twice: a form's token is taken once. */
const passed = new WeakSet<EdgeRequest>();
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/** For whoever looks at the pages on their own machine, where there is no product yet. */
const TRIAL_HINT =
  ' To try it out: `npm run -s token -- --tenant acme --user u1 --role admin` makes a token; POST /v1/browser-sessions with it answers with a link.';

/** Stands before every route: a route without a mark needs a bearer token. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly bearers: BearerCallers,
    private readonly sessions: BrowserSessions,
    private readonly limits: EdgeLimits,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const marks = [context.getHandler(), context.getClass()];
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, marks);
    if (access === 'public' || (access === 'metrics' && this.settings.metricsPublic)) return true;

    const request = context.switchToHttp().getRequest<EdgeRequest>();
    if (passed.has(request)) return true;
    if (access === 'metrics' && this.showsMetricsToken(request.headers.authorization)) return true;
    const caller = access === 'page' ? await this.pageCaller(request) : await this.bearers.of(request);
    this.limits.countCaller(caller);
    const needed = this.reflector.getAllAndOverride<Role | undefined>(NEEDED_ROLE, marks);
    if (caller.viaBrowserToken) this.refuseBrowserToken(marks);
    if (caller.role === 'support') this.refuseSupport(marks, request.method);
    else if (needed && !roleReaches(caller.role, needed)) throw new IntegrationError('forbidden');
    request.caller = caller;
    holdTo(request, caller);
    passed.add(request);
    return true;
  }

  /** Opens the metrics and nothing else; compared in constant time. */
  private showsMetricsToken(authorization: string | undefined): boolean {
    const [, shown] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    return shown !== undefined && this.settings.metricsToken !== undefined && sameSecret(shown, this.settings.metricsToken);
  }

  private refuseSupport(marks: Parameters<Reflector['getAllAndOverride']>[1], method: string): void {
    if (SAFE_METHODS.has(method) && this.reflector.getAllAndOverride<boolean | undefined>(SUPPORT_READS, marks)) return;
    throw new IntegrationError('forbidden', {
      detail: 'Support staff see status and logs; they use no connection and change nothing.',
      nextStep: 'Ask an administrator of the organization.',
    });
  }

  private refuseBrowserToken(marks: Parameters<Reflector['getAllAndOverride']>[1]): void {
    if (this.reflector.getAllAndOverride<boolean | undefined>(BROWSER_TOKENS, marks)) return;
    throw new IntegrationError('forbidden', {
      detail: 'A browser token lists, connects, synchronizes and ends connections, and does nothing else.',
      nextStep: 'Make this call from your backend, with a token of its own.',
    });
  }

  private async pageCaller(request: EdgeRequest): Promise<SessionPrincipal> {
    const cookie = request.cookies[this.sessions.cookieName];
    const caller = await this.sessions.find(cookie);
    if (!caller) {
      this.limits.countRefusal(request.ip);
      const isTrial = !this.settings.production && this.settings.productUrl === undefined;
      throw new IntegrationError('unauthorized', {
        detail: cookie === undefined ? 'You are not signed in.' : 'Your session has ended.',
        nextStep: `Open this page from your application again.${isTrial ? TRIAL_HINT : ''}`,
      });
    }
    if (!SAFE_METHODS.has(request.method)) this.refuseForgery(request, caller);
    return caller;
  }

  /** A change must come from our own page: the browser says so (Origin), and the form shows the session's token. */
  private refuseForgery(request: EdgeRequest, caller: SessionPrincipal): void {
    const { origin, 'x-csrf-token': header } = request.headers;
    const own = new URL(this.settings.publicUrl).origin;
    if (origin !== undefined && origin !== own) {
      throw new IntegrationError('forbidden', {
        detail: 'This was sent from another site.',
        nextStep: `Open the page under ${own} and try again.`,
      });
    }
    const shown = typeof header === 'string' ? header : takeFormToken(request.body);
    if (shown === undefined || !sameSecret(shown, caller.csrfToken)) {
      throw new IntegrationError('forbidden', { detail: 'This form is out of date.', nextStep: 'Load the page again and repeat it.' });
    }
  }
}

/** Takes `_csrf` out of the body: what the controller gets is what it asked for. */
function takeFormToken(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('_csrf' in body)) return undefined;
  const token = body._csrf;
  delete body._csrf;
  return typeof token === 'string' ? token : undefined;
}
