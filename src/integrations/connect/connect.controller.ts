import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { knownErrorOf } from './known-error';
import { ApiExcludeController, Public } from '../../http-api';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { flowCookie, readFlowCookie } from './browser-cookie';
import { ConnectService } from './connect.service';
import { errorPage, PAGE_HEADERS } from './error-page';

/** The two addresses that a browser visits on its way to a connection. */
@Public()
@ApiExcludeController()
@Controller()
export class ConnectController {
  constructor(
    private readonly connect: ConnectService,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Get('connect/:provider')
  async start(
    @Param('provider') provider: string,
    @Query('session') session: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answer(reply, async () => {
      onlyNavigations(request);
      const { location, browser } = await this.connect.start(provider, session, this.browserOf(request));
      void reply.header('set-cookie', flowCookie(browser, this.settings.publicUrl));
      return location;
    });
  }

  @Get('auth/:provider/callback')
  async finish(
    @Param('provider') provider: string,
    @Query() query: Record<string, unknown>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answer(reply, () => {
      onlyNavigations(request);
      return this.connect.finish(provider, query, this.browserOf(request));
    });
  }

  private async answer(reply: FastifyReply, locate: () => Promise<string>): Promise<void> {
    void reply.headers(PAGE_HEADERS);
    try {
      await reply.redirect(await locate(), 302);
    } catch (error) {
      const known = knownErrorOf(error);
      await reply.status(known.status).type('text/html; charset=utf-8').send(errorPage(known, this.settings.publicUrl));
    }
  }

  private browserOf(request: FastifyRequest): string | undefined {
    return readFlowCookie(request.cookies, this.settings.publicUrl);
  }
}

/** A flow is a page that a person sees: never an image, a frame, a script's request or a preview (https://www.w3.org/TR/fetch-metadata/). */
function onlyNavigations(request: FastifyRequest): void {
  const destination = request.headers['sec-fetch-dest'];
  if (request.method !== 'GET' || (destination !== undefined && destination !== 'document')) {
    throw new IntegrationError('forbidden', {
      detail: 'This address has to be opened in a browser window of its own.',
      nextStep: 'Start connecting again.',
    });
  }
}
