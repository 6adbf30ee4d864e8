import { Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Answer, CurrentUser, moment, Roles, SupportMayRead, ZodBody, type Principal } from '../../../http-api';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { ProviderRegistry } from '../../providers';
import type { OauthClientEntity } from './oauth-client.entity';
import { OauthClientsService } from './oauth-clients.service';

const body = z.strictObject({
  clientId: z
    .string()
    .regex(/^[\x21-\x7e]{1,500}$/)
    .describe('Of the app that the organization has registered at the provider.'),
  clientSecret: z
    .string()
    .regex(/^[\x21-\x7e]{1,2000}$/)
    .describe('Kept encrypted and never shown again.'),
});
const answer = z.object({
  provider: z.string(),
  clientId: z.string(),
  setBy: z.string(),
  setAt: moment,
  webhookUrl: z
    .string()
    .nullable()
    .describe(
      'Where the provider is to deliver events of this client, where the client’s secret signs them. Null: to no address of its own, so that its connections are told of events by watches and by addresses of their own alone.',
    ),
});

/** An organization's own client (app) at a provider: with it its people connect, in place of the operator's. */
@ApiTags('admin')
@Roles('admin')
@Controller('v1/admin/providers/:provider/client')
export class AdminClientsController {
  constructor(
    private readonly clients: OauthClientsService,
    private readonly registry: ProviderRegistry,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** The one with which connections are made; its secret is not told. */
  @Answer(answer)
  @SupportMayRead()
  @Get()
  async get(@CurrentUser() caller: Principal, @Param('provider') key: string) {
    return this.viewOf(await this.clients.find(caller.tenant, key));
  }

  /** Takes the place of what was set before. What was connected with another client stays with that one until it is disconnected or connected anew. Administrators call the provider as this app at `/v1/admin/providers/:provider/app/proxy/*`, where it can be. */
  @Answer(answer)
  @Put()
  async set(@CurrentUser() caller: Principal, @Param('provider') key: string, @ZodBody(body) client: z.infer<typeof body>) {
    return this.viewOf(await this.clients.set(caller, key, client));
  }

  /** From now on people connect with the operator's client, where there is one. */
  @Answer(null, { status: 204 })
  @Delete()
  @HttpCode(204)
  end(@CurrentUser() caller: Principal, @Param('provider') key: string): Promise<void> {
    return this.clients.end(caller.tenant, key);
  }

  private viewOf({ id, provider, clientId, setBy, setAt }: OauthClientEntity): z.infer<typeof answer> {
    const hasAddress = this.registry.get(provider).webhooks?.signedByClient ?? false;
    const webhookUrl = hasAddress ? `${this.settings.publicUrl}/webhooks/${provider}/${id}` : null;
    return { provider, clientId, setBy, setAt: setAt.toISOString(), webhookUrl };
  }
}
