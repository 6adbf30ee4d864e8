import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Answer, moment, Roles } from '../../http-api';
import { ProviderSetupCheck, SETUP_CHECKS, SETUP_STATES, type ProviderSetup } from './provider-setup-check';

const setupAnswer = z.object({
  provider: z.string(),
  redirect: z.string().nullable().describe('The redirect address to register there.'),
  webhooks: z.string().nullable().describe('The address of webhooks to register there.'),
  lastWebhook: moment.nullable(),
  toldSecrets: z
    .array(z.object({ secret: z.string(), receivedAt: moment }))
    .describe(
      'What came to this process, unsigned, as the secret of webhooks, newest first. Anybody can send one: enter it at the provider, and set it as the webhook secret once the provider has taken it.',
    ),
  findings: z.array(
    z.object({ check: z.enum(SETUP_CHECKS), state: z.enum(SETUP_STATES), detail: z.string(), nextStep: z.string().nullable() }),
  ),
}) satisfies z.ZodType<ProviderSetup>;

/** How this server is set up for a provider: the operator's. */
@ApiTags('admin')
@Roles('operator')
@Controller('v1/admin/providers/:provider/setup')
export class AdminProvidersController {
  constructor(private readonly setup: ProviderSetupCheck) {}

  /** From what is known; nothing is asked of the provider. */
  @Answer(setupAnswer)
  @Get()
  look(@Param('provider') provider: string): Promise<ProviderSetup> {
    return this.setup.look(provider);
  }

  /** Asks the provider as well whether it knows our client. */
  @Answer(setupAnswer)
  @Post('check')
  @HttpCode(200)
  ask(@Param('provider') provider: string): Promise<ProviderSetup> {
    return this.setup.ask(provider);
  }
}
