import { Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Answer, CurrentUser, moment, Roles, SupportMayRead, ZodBody, type Principal } from '../../../http-api';
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
const answer = z.object({ provider: z.string(), clientId: z.string(), setBy: z.string(), setAt: moment });

/** An organization's own client (app) at a provider: with it its people connect, in place of the operator's. */
@ApiTags('admin')
@Roles('admin')
@Controller('v1/admin/providers/:provider/client')
export class AdminClientsController {
  constructor(private readonly clients: OauthClientsService) {}

  /** The one with which connections are made; its secret is not told. */
  @Answer(answer)
  @SupportMayRead()
  @Get()
  async get(@CurrentUser() caller: Principal, @Param('provider') key: string) {
    return viewOf(await this.clients.find(caller.tenant, key));
  }

  /** Takes the place of what was set before. What was connected with another client stays with that one until it is disconnected or connected anew. */
  @Answer(answer)
  @Put()
  async set(@CurrentUser() caller: Principal, @Param('provider') key: string, @ZodBody(body) client: z.infer<typeof body>) {
    return viewOf(await this.clients.set(caller, key, client));
  }

  /** From now on people connect with the operator's client, where there is one. */
  @Answer(null, { status: 204 })
  @Delete()
  @HttpCode(204)
  end(@CurrentUser() caller: Principal, @Param('provider') key: string): Promise<void> {
    return this.clients.end(caller.tenant, key);
  }
}

function viewOf({ provider, clientId, setBy, setAt }: OauthClientEntity): z.infer<typeof answer> {
  return { provider, clientId, setBy, setAt: setAt.toISOString() };
}
