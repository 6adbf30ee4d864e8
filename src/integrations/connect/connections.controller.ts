import { Controller, Delete, Get, HttpCode, Patch, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  Answer,
  OpenToBrowserTokens,
  pageOf,
  cursor,
  CurrentUser,
  IdParam,
  languageTag,
  limit,
  paged,
  ZodBody,
  ZodQuery,
  type Principal,
  type Paged,
  SupportMayRead,
  byId,
  pageFrom,
  positionOf,
} from '../../http-api';
import { ConnectionRepository } from '../connections/connection.repository';
import { assertMayManage, assertMayPurge } from '../connections/connection-access';
import { TenantProviders } from '../connections/clients/tenant-providers';
import { ConnectionPolicyService } from '../connections/connection-policy.service';
import { toRef } from '../connections/connection';
import { ConnectService } from './connect.service';
import { chosenOwner, policyBody } from './chosen-owner';
import { KeyConnectService } from './key-connect.service';
import { connectionAnswer, connectSessionAnswer, disconnectAnswer, providersAnswer } from '../connections/connection-answers';
import { ConnectionViews, providerView, type ConnectionView, type ProviderView } from '../connections/connection-views';
import { Erasure } from '../connections/personal-data/erasure';
import { DisconnectService } from '../connections/disconnect.service';

const providerKey = z.string().min(1).max(32);
/** RFC 6749, 3.3, without the comma by which some providers separate. */
const scope = z.string().regex(/^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,200}$/, 'is not a scope');

/** What the provider asks for, by the names in its `ask`. */
const fields = z.record(z.string().regex(/^\w{1,40}$/), z.string().max(2_000));

/** Shown to a person: one line. */
const displayName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cf}]+$/u, 'is not one line of text');

const connectSession = z.strictObject({
  provider: providerKey,
  ...chosenOwner,
  returnTo: z.string().max(2_000).optional(),
  connectionId: z.string().max(64).optional(),
  scopes: z.array(scope).min(1).max(50).optional(),
  userScopes: z.array(scope).max(50).optional(),
  fields: fields.optional(),
  display: z.strictObject({ user: displayName.optional(), organization: displayName.optional() }).optional(),
  lang: languageTag.describe('Of the pages on the way. Default: what the browser asks for.').optional(),
});
const keyConnection = z.strictObject({
  provider: providerKey,
  ...chosenOwner,
  apiKey: z.string().min(1).max(1_000).optional(),
  fields: fields.optional(),
  connectionId: z
    .string()
    .max(64)
    .optional()
    .describe('A connection that is connected anew: it stays whose it is, and has to be of the same account.'),
});
const change = z.strictObject({ policy: policyBody });
const connectionList = z.strictObject({ provider: providerKey.optional(), limit, cursor });
/** `purge=true`: all that is held of it is destroyed, and the connection itself. */
const end = z.strictObject({
  purge: z
    .enum(['true', 'false'])
    .default('false')
    .transform((given) => given === 'true'),
});

@ApiTags('connections')
@Controller('v1')
export class ConnectionsController {
  constructor(
    private readonly tenantProviders: TenantProviders,
    private readonly connections: ConnectionRepository,
    private readonly connectService: ConnectService,
    private readonly keyConnectService: KeyConnectService,
    private readonly disconnectService: DisconnectService,
    private readonly erasure: Erasure,
    private readonly policies: ConnectionPolicyService,
    private readonly views: ConnectionViews,
  ) {}

  @SupportMayRead()
  @Answer(providersAnswer)
  @OpenToBrowserTokens()
  @Get('providers')
  async providers(@CurrentUser() caller: Principal): Promise<Paged<ProviderView>> {
    return paged((await this.tenantProviders.seenBy(caller.tenant)).map(providerView));
  }

  @Answer(connectSessionAnswer, { status: 201 })
  @OpenToBrowserTokens()
  @Post('connect-sessions')
  async createSession(
    @CurrentUser() caller: Principal,
    @ZodBody(connectSession) { lang, ...asked }: z.infer<typeof connectSession>,
  ): Promise<{ connectUrl: string; expiresAt: string }> {
    const { connectUrl, expiresAt } = await this.connectService.createSession(caller, asked);
    return { connectUrl: lang === undefined ? connectUrl : `${connectUrl}&lang=${lang}`, expiresAt: expiresAt.toISOString() };
  }

  @Answer(connectionAnswer, { status: 201 })
  @OpenToBrowserTokens()
  @Post('connections')
  async connectWithKey(
    @CurrentUser() caller: Principal,
    @ZodBody(keyConnection) body: z.infer<typeof keyConnection>,
  ): Promise<ConnectionView> {
    return this.views.of(caller, await this.keyConnectService.connect(caller, body));
  }

  @SupportMayRead()
  @Answer(pageOf(connectionAnswer))
  @OpenToBrowserTokens()
  @Get('connections')
  async list(
    @CurrentUser() caller: Principal,
    @ZodQuery(connectionList) query: z.infer<typeof connectionList>,
  ): Promise<Paged<ConnectionView>> {
    const after = positionOf(query.cursor, byId)?.id;
    const found = await this.connections.list(caller, { provider: query.provider, limit: query.limit + 1, after });
    const views = found.map((each) => this.views.of(caller, each));
    return pageFrom(views, query.limit, ({ id }) => ({ id }));
  }

  @SupportMayRead()
  @Answer(connectionAnswer)
  @OpenToBrowserTokens()
  @Get('connections/:id')
  async get(@CurrentUser() caller: Principal, @IdParam() id: string): Promise<ConnectionView> {
    return this.views.of(caller, await this.connections.findWithSync(caller, id));
  }

  /** Who of the organization may use and manage its connection. */
  @Answer(connectionAnswer)
  @Patch('connections/:id')
  async change(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @ZodBody(change) { policy }: z.infer<typeof change>,
  ): Promise<ConnectionView> {
    await this.policies.change(caller, id, policy);
    return this.views.of(caller, await this.connections.findWithSync(caller, id));
  }

  @Answer(disconnectAnswer)
  @OpenToBrowserTokens()
  @Delete('connections/:id')
  @HttpCode(200)
  async disconnect(
    @CurrentUser() caller: Principal,
    @IdParam() id: string,
    @ZodQuery(end) { purge }: z.infer<typeof end>,
  ): Promise<{ revoked: boolean }> {
    const found = await this.connections.findFor(caller, id);
    assertMayManage(caller, found);
    if (purge) assertMayPurge(caller);
    const connection = toRef(found);
    return purge ? this.erasure.purge(connection) : this.disconnectService.disconnect(connection);
  }
}
