import { Controller, Header, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Answer, moment } from '../openapi/answers';
import { ZodBody } from '../openapi/zod.decorators';
import { CurrentUser } from '../principal/current-user.decorator';
import type { Principal } from '../principal/principal';
import type { EdgeRequest } from '../request';
import { BrowserTokens } from './browser-tokens';

const SECOND_MS = 1_000;
const newToken = z.strictObject({
  origin: z.string().max(300).optional().describe('The one origin whose pages may use it; one of BROWSER_ORIGINS. Default: any of them.'),
  organization: z
    .boolean()
    .default(false)
    .describe(
      'Opens the connections of the organization as well, as far as the user may see and manage them. Default: the user’s own alone.',
    ),
  expiresIn: z.number().int().min(60).max(900).default(600).describe('Seconds. It ends with the token that asks for it at the latest.'),
});

/** How a script in the product's pages gets to call: the product's backend asks for a token, and hands it to the page. */
@ApiTags('sessions')
@Controller('v1/browser-tokens')
export class BrowserTokenController {
  constructor(private readonly tokens: BrowserTokens) {}

  /** Opens the user's own connections, and the organization's where that is asked for: to list, connect, synchronize and end them, and to follow their state. */
  @Answer(z.object({ token: z.string(), expiresAt: moment }), { status: 201 })
  @Post()
  @Header('cache-control', 'no-store')
  async create(
    @CurrentUser() caller: Principal,
    @Req() request: EdgeRequest,
    @ZodBody(newToken) { origin, organization, expiresIn }: z.infer<typeof newToken>,
  ): Promise<{ token: string; expiresAt: string }> {
    const { token, expiresAt } = await this.tokens.create({
      caller,
      callerEndsAt: request.callerEndsAt ?? 0,
      reach: organization ? 'organization' : 'own',
      lifetimeMs: expiresIn * SECOND_MS,
      ...(origin !== undefined && { origin }),
    });
    return { token, expiresAt: expiresAt.toISOString() };
  }
}
