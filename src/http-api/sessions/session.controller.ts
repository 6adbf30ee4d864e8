import { Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { Frame, languageTag, PageFrames, type PageFrame } from '../frame/page-frames';
import { html, htmlPage } from '../html';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { ZodBody, ZodQuery } from '../openapi/zod.decorators';
import { HiddenPage, Public, Roles } from '../principal/access.decorators';
import { CurrentUser } from '../principal/current-user.decorator';
import { visibleTenant, type Principal, type SessionPrincipal } from '../principal/principal';
import type { EdgeRequest } from '../request';
import { BrowserSessions } from './browser-sessions';
import { assertNavigation } from './navigation';
import { localPath } from './own-path';
import { productLink, switchPage } from './session-pages';
import { Answer, moment } from '../openapi/answers';

const HOME = '/settings/integrations';
const MAX_CODE_LENGTH = 8_192;
const newSession = z.strictObject({ returnTo: z.string().max(2_000).default(HOME), lang: languageTag.optional() });
const shownCode = z.strictObject({ code: z.string().min(1).max(MAX_CODE_LENGTH) });
const link = shownCode.extend({ lang: z.string().max(35).optional() });
const nothing = z.strictObject({});
const HTML = 'text/html; charset=utf-8';

/** How a person comes from the product to these pages: the product's backend asks for a code, the browser trades it for a session. */
@ApiTags('sessions')
@Controller()
export class SessionController {
  constructor(
    private readonly sessions: BrowserSessions,
    private readonly frames: PageFrames,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Answer(z.object({ url: z.url(), expiresAt: moment }), { status: 201 })
  @Post('v1/browser-sessions')
  async create(
    @CurrentUser() caller: Principal,
    @Req() request: EdgeRequest,
    @ZodBody(newSession) { returnTo, lang }: z.infer<typeof newSession>,
  ): Promise<{ url: string; expiresAt: string }> {
    const target = localPath(returnTo, this.settings.publicUrl);
    const { code, expiresAt } = await this.sessions.createCode(caller, request.callerEndsAt ?? 0, target);
    const spoken = lang === undefined ? '' : `&lang=${lang}`;
    return { url: `${this.settings.publicUrl}/session?code=${code}${spoken}`, expiresAt: expiresAt.toISOString() };
  }

  /** A browser that is signed in as somebody else is asked; its code waits. */
  @Public()
  @ApiExcludeEndpoint()
  @Get('session')
  async open(@ZodQuery(link) { code, lang }: z.infer<typeof link>, @Req() request: EdgeRequest, @Res() reply: FastifyReply): Promise<void> {
    if (request.method !== 'GET') throw new IntegrationError('method_not_allowed'); // a HEAD of a link checker must not use it up
    assertNavigation(request, 'GET');
    const current = await this.sessions.find(request.cookies[this.sessions.cookieName]);
    const known = current && this.sessions.read(code);
    // A link that was followed twice, or a page that was kept open: this person is signed in already.
    if (known && isSame(current, known) && !(await this.sessions.isOpen(code))) {
      await reply.header('cache-control', 'no-store').redirect(known.returnTo ?? HOME, 303);
      return;
    }
    const next = await this.sessions.peek(code);
    if (current && !isSame(current, next)) {
      await reply
        .header('cache-control', 'no-store')
        .header('referrer-policy', 'same-origin')
        .type(HTML)
        .send(switchPage({ current, next, code, lang }, this.frames.of(request)));
      return;
    }
    this.frames.enter(lang, request, reply);
    await this.enter(reply, code, current);
  }

  @HiddenPage()
  @Post('session')
  async replace(
    @CurrentUser() current: SessionPrincipal,
    @ZodBody(link) { code, lang }: z.infer<typeof link>,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    this.frames.enter(lang, request, reply);
    await this.enter(reply, code, current);
  }

  @HiddenPage()
  @Post('session/logout')
  @HttpCode(200)
  async logout(
    @CurrentUser() current: SessionPrincipal,
    @ZodBody(nothing) _: unknown,
    @Frame() frame: PageFrame,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { language } = frame;
    const { name, value, options } = await this.sessions.end(current);
    const page = htmlPage(
      language.say('session.signedOut'),
      html`<p>${language.say('session.signInAgain')}</p>
        ${productLink(this.settings.productUrl, language)}`,
      frame,
    );
    await reply.setCookie(name, value, options).header('cache-control', 'no-store').type(HTML).send(page);
  }

  /** Ends all sessions of a person: of the administrator's organization; an operator's call ends those of everybody who goes by the id. */
  @Roles('admin')
  @Answer(z.object({ ended: z.number().int() }))
  @Delete('v1/admin/users/:sub/sessions')
  @Header('cache-control', 'no-store')
  async endAll(@CurrentUser() caller: Principal, @Param('sub') userId: string): Promise<{ ended: number }> {
    const tenant = visibleTenant(caller);
    return { ended: await this.sessions.endAll({ userId, ...(tenant !== undefined && { tenant }) }) };
  }

  private async enter(reply: FastifyReply, code: string, before: SessionPrincipal | undefined): Promise<void> {
    const { cookie, returnTo } = await this.sessions.open(code, before);
    await reply.setCookie(cookie.name, cookie.value, cookie.options).header('cache-control', 'no-store').redirect(returnTo, 303);
  }
}

function isSame(a: Principal, b: Principal): boolean {
  return a.tenant === b.tenant && a.userId === b.userId;
}
