import { Controller, Get, Header, Inject, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { ERROR_KINDS, type ErrorCode } from '../../errors';
import { BrowserNews, Frame, Public, type EdgeRequest, type PageFrame, type ToldNews } from '../../http-api';
import { ConnectionRepository } from '../connections';
import { ProviderRegistry } from '../providers';
import { connectDonePage, type ConnectResult } from './connect-done-page';
import { CONNECT_NEWS } from './connect.service';
import { pageHeaders } from './error-page';

const SCRIPT = readFileSync(join(__dirname, 'assets', 'done.js'), 'utf8');
const POLICY = "script-src 'self'; form-action 'none'";

/** Where a connect ends whose caller named no address. What it says comes from the sealed news and the state, never from the address. */
@Public()
@ApiExcludeController()
@Controller('connect')
export class ConnectDoneController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly registry: ProviderRegistry,
    private readonly news: BrowserNews,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Get('done')
  async show(@Req() request: EdgeRequest, @Frame() frame: PageFrame, @Res() reply: FastifyReply): Promise<void> {
    const news = this.news.take(request, reply);
    const result = news?.kind === CONNECT_NEWS ? await this.resultOf(news) : undefined;
    const { returnToOrigins, browserOrigins, productUrl } = this.settings;
    const origins = [...new Set([...returnToOrigins, ...browserOrigins])];
    const providerName = this.registry.find(result?.provider ?? '')?.name ?? '';
    await reply
      .headers(pageHeaders(frame, POLICY))
      .type('text/html; charset=utf-8')
      .send(connectDonePage({ result, providerName, origins, productUrl }, frame));
  }

  @Get('done.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  @Header('cache-control', 'public, no-cache')
  script(): string {
    return SCRIPT;
  }

  /** A connection that has ended since is no good news. */
  private async resultOf({ tenant, about }: ToldNews): Promise<ConnectResult | undefined> {
    const { provider = '', connection: connectionId = '', error } = about;
    const type = 'trestle:connect';
    if (error !== undefined) return { type, status: 'error', provider, error: knownCode(error) };
    const connection = await this.connections.findById(connectionId);
    const stands = connection?.tenant === tenant && connection.status === 'connected';
    return stands ? { type, status: 'connected', provider, connectionId } : undefined;
  }
}

function knownCode(code: string): ErrorCode {
  return Object.hasOwn(ERROR_KINDS, code) ? (code as ErrorCode) : 'connect_failed';
}
