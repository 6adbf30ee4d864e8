import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import {
  assertNavigation,
  BrowserNews,
  BrowserSessions,
  PageFrames,
  Public,
  type EdgeRequest,
  type PageFrame,
  type SessionPrincipal,
} from '../../http-api';
import { flowCookie, readFlowCookie } from './browser-cookie';
import { connectPage, othersLinkPage, type PendingConnect } from './connect-page';
import { CONNECT_NEWS, ConnectService } from './connect.service';
import { errorPage, formLeadsTo, pageHeaders } from './error-page';
import { knownErrorOf } from './known-error';
import { hashOf, newSecret, SECRET_SHAPE } from './one-time-secret';

/** The addresses that a browser visits on its way to a connection. Following links alone connects nothing. */
@Public()
@ApiExcludeController()
@Controller()
export class ConnectController {
  constructor(
    private readonly connect: ConnectService,
    private readonly sessions: BrowserSessions,
    private readonly news: BrowserNews,
    private readonly frames: PageFrames,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Shows who asks for what. Uses nothing up, unless the person is signed in here and comes from their own pages: they go on at once. */
  @Get('connect/:provider')
  async ask(
    @Param('provider') provider: string,
    @Query('session') session: unknown,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const frame = this.frames.remembered(request, reply);
    await this.answer(frame, reply, async () => {
      assertNavigation(request, 'GET');
      const pending = await this.connect.pending(provider, session);
      const current = await this.signedIn(request);
      if (current && !isFor(pending, current)) return this.refuseOthers({ frame, reply }, pending, current);
      const browser = this.browserOf(request);
      // Only a browser that says it comes from these very pages: one that says nothing may have followed a stranger's links.
      if (current && request.headers['sec-fetch-site'] === 'same-origin') return this.goOn(reply, pending, browser);
      const form = { session: pending.session, confirm: confirmationOf(browser, pending.session) };
      await this.bind(reply, browser)
        .headers(pageHeaders(frame, formLeadsTo(new URL(pending.facts.authorizeUrl).origin)))
        .send(connectPage(pending, form, frame));
    });
  }

  /** The button of that page. */
  @Post('connect/:provider')
  @HttpCode(200)
  async start(
    @Param('provider') provider: string,
    @Body() body: unknown,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const frame = this.frames.of(request);
    await this.answer(frame, reply, async () => {
      assertNavigation(request, 'POST');
      const { session, confirm } = (body ?? {}) as { session?: unknown; confirm?: unknown };
      const pending = await this.connect.pending(provider, session);
      const browser = this.browserOf(request);
      // What it is compared with is a hash that nobody outside can steer: no timing tells of it.
      if (!this.isOwnForm(request) || confirm !== confirmationOf(browser, pending.session)) {
        throw new IntegrationError('forbidden', {
          detail: 'This was sent from another site or browser, or cookies are switched off.',
          nextStep: 'Open the link again and press the button there.',
        });
      }
      const current = await this.signedIn(request);
      if (current && !isFor(pending, current)) return this.refuseOthers({ frame, reply }, pending, current);
      return this.goOn(reply, pending, browser);
    });
  }

  @Get('auth/:provider/callback')
  async finish(
    @Param('provider') provider: string,
    @Query() query: Record<string, unknown>,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answer(this.frames.of(request), reply, async () => {
      assertNavigation(request, 'GET');
      const { location, of, outcome } = await this.connect.finish(
        provider,
        query,
        readFlowCookie(request.cookies, this.settings.publicUrl),
      );
      this.news.tell(reply, of, { kind: CONNECT_NEWS, about: outcome });
      await reply.redirect(location, 302);
    });
  }

  private async goOn(reply: FastifyReply, pending: PendingConnect, browser: string): Promise<void> {
    const location = await this.connect.start(pending, browser);
    await this.bind(reply, browser).redirect(location, 302);
  }

  private async refuseOthers(
    { frame, reply }: { frame: PageFrame; reply: FastifyReply },
    pending: PendingConnect,
    current: SessionPrincipal,
  ): Promise<void> {
    await reply.status(403).send(othersLinkPage(pending, current, frame));
  }

  private async answer(frame: PageFrame, reply: FastifyReply, respond: () => Promise<void>): Promise<void> {
    void reply.headers(pageHeaders(frame)).type('text/html; charset=utf-8');
    try {
      await respond();
    } catch (error) {
      const known = knownErrorOf(error);
      await reply.status(known.status).send(errorPage(known, frame, this.settings.productUrl));
    }
  }

  private bind(reply: FastifyReply, browser: string): FastifyReply {
    return reply.header('set-cookie', flowCookie(browser, this.settings.publicUrl));
  }

  private signedIn(request: EdgeRequest): Promise<SessionPrincipal | undefined> {
    return this.sessions.find(request.cookies[this.sessions.cookieName]);
  }

  private isOwnForm({ headers }: EdgeRequest): boolean {
    const site = headers['sec-fetch-site'];
    const isOwnOrigin = headers.origin === undefined || headers.origin === new URL(this.settings.publicUrl).origin;
    return isOwnOrigin && (site === undefined || site === 'same-origin');
  }

  /** The browser's own secret, or a new one. */
  private browserOf(request: EdgeRequest): string {
    const shown = readFlowCookie(request.cookies, this.settings.publicUrl);
    return shown !== undefined && SECRET_SHAPE.test(shown) ? shown : newSecret();
  }
}

function isFor({ intent }: PendingConnect, current: SessionPrincipal): boolean {
  return intent.tenant === current.tenant && intent.userId === current.userId;
}

/** What the form shows: of the browser's cookie, which no other site can read or set, and of the one session. */
function confirmationOf(browser: string, session: string): string {
  return hashOf(`connect|${browser}|${session}`);
}
