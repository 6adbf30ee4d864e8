import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { Public } from '../principal/access.decorators';
import { BrowserSessions } from './browser-sessions';
import { ApiExcludeController } from '../openapi/swagger-decorators';
import type { EdgeRequest } from '../request';
import { ZodQuery } from '../openapi/zod.decorators';

const query = z.strictObject({ token: z.string().min(1), to: z.string().max(2_000).default('/settings/integrations') });

/** How a person comes from the product to these pages: a link with a fresh token, good for one use. */
@ApiExcludeController()
@Controller('session')
export class SessionController {
  constructor(
    private readonly sessions: BrowserSessions,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Public()
  @Get()
  async open(
    @ZodQuery(query) { token, to }: z.infer<typeof query>,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (request.method !== 'GET') throw new IntegrationError('method_not_allowed'); // a HEAD of a link checker must not use it up
    const target = localPath(to, this.settings.publicUrl);
    const cookie = await this.sessions.open(token);
    await reply.setCookie(cookie.name, cookie.value, cookie.options).header('cache-control', 'no-store').redirect(target, 303);
  }
}

/**
 * A path of our own, whatever the browser makes of the text: `//evil`, `/\evil` and the like lead elsewhere.
 * @throws IntegrationError `invalid_return_to`
 */
export function localPath(to: string, publicUrl: string): string {
  const origin = new URL(publicUrl).origin;
  const parsed = /^\/(?![/\\])[^\\\s]*$/.test(to) && URL.canParse(to, origin) ? new URL(to, origin) : undefined;
  if (parsed?.origin !== origin || parsed.pathname.startsWith('//')) throw new IntegrationError('invalid_return_to');
  return parsed.pathname + parsed.search + parsed.hash;
}
