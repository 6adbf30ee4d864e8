import { Controller, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BrowserNews, CurrentUser, IdParam, ZodBody, type SessionPrincipal } from '../../http-api';
import { findIntegrationError, IntegrationError, type ErrorCode } from '../../errors';
import {
  assertMayManage,
  type ChosenOwner,
  CONNECT_NEWS,
  ConnectionRepository,
  ConnectService,
  DisconnectService,
  KeyConnectService,
  POLICY_CHOICES,
  type PolicyChoice,
  ProviderRegistry,
  SyncService,
  toRef,
} from '../../integrations';
import { confirmPage } from '../confirm-page';
import { INTEGRATIONS_PATH } from '../layout';
import { leavePage } from '../leave-page';
import { FormRoute } from '../page-route.decorators';
import { disconnectQuestion } from './integration-card';
import { ownViewer } from './integration-cards';
import type { CardNews } from './settings-banner';

const nothing = z.strictObject({});
const owner = z.literal('organization').optional();
/** Who of the organization may use and manage what an administrator connects for it; nothing: the person's own, or as it was. */
const people = z
  .enum(Object.keys(POLICY_CHOICES) as [PolicyChoice])
  .or(z.literal(''))
  .optional();
const connectForm = z.strictObject({ owner, people });
const keyForm = z.strictObject({ apiKey: z.string().max(1_000), owner, people });
const disconnectForm = z.strictObject({ confirmed: z.literal('yes').optional() });

/** These have a page of their own; everything else is told on the cards. */
const OWN_PAGE: ReadonlySet<ErrorCode> = new Set(['connection_not_found', 'provider_unknown', 'internal_error', 'storage_unavailable']);

/** The buttons of the cards. Each ends with a redirect to the cards (303), so that loading them again repeats nothing; connecting leads to the provider. */
@Controller('settings/integrations')
export class IntegrationFormsController {
  constructor(
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    private readonly connectService: ConnectService,
    private readonly keyConnectService: KeyConnectService,
    private readonly disconnectService: DisconnectService,
    private readonly syncs: SyncService,
    private readonly news: BrowserNews,
  ) {}

  @FormRoute(':provider/connect')
  connect(
    @CurrentUser() caller: SessionPrincipal,
    @Param('provider') provider: string,
    @ZodBody(connectForm) chosen: z.infer<typeof connectForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.leave(caller, reply, () => Promise.resolve({ provider, ...ownerFrom(chosen) }));
  }

  @FormRoute(':provider/key')
  connectWithKey(
    @CurrentUser() caller: SessionPrincipal,
    @Param('provider') provider: string,
    @ZodBody(keyForm) { apiKey, ...chosen }: z.infer<typeof keyForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.answer(caller, reply, async () => {
      const { id } = await this.keyConnectService.connect(ownViewer(caller), { provider, apiKey, ...ownerFrom(chosen) });
      return { kind: CONNECT_NEWS, about: { success: provider, connection: id } };
    });
  }

  @FormRoute('connections/:id/reconnect')
  reconnect(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.leave(caller, reply, async () => ({
      provider: (await this.connections.findFor(ownViewer(caller), id)).provider,
      connectionId: id,
    }));
  }

  @FormRoute('connections/:id/sync')
  sync(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.answer(caller, reply, async () => {
      const { status } = await this.connections.findFor(ownViewer(caller), id);
      if (status === 'needs_reauth') throw new IntegrationError('needs_reauth');
      const { run, created } = await this.syncs.request(id, { type: 'incremental', trigger: 'manual' });
      return { kind: 'sync', about: { connection: id, run: run.id, created: created ? 'yes' : 'no' } };
    });
  }

  @FormRoute('connections/:id/disconnect')
  async disconnect(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(disconnectForm) { confirmed }: z.infer<typeof disconnectForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const connection = await this.connections.findFor(ownViewer(caller), id);
    assertMayManage(ownViewer(caller), connection);
    if (!confirmed) {
      const question = disconnectQuestion(this.registry.find(connection.provider)?.name ?? connection.provider, connection);
      const to = `${INTEGRATIONS_PATH}/connections/${id}/disconnect`;
      await reply.send(
        confirmPage({ title: 'Disconnect', question, to, label: 'Disconnect', back: INTEGRATIONS_PATH, path: INTEGRATIONS_PATH, caller }),
      );
      return;
    }
    await this.answer(caller, reply, async () => {
      const { revoked } = await this.disconnectService.disconnect(toRef(connection));
      return { kind: 'disconnect', about: { connection: id, revoked: revoked ? 'yes' : 'no' } };
    });
  }

  private async leave(
    caller: SessionPrincipal,
    reply: FastifyReply,
    what: () => Promise<ChosenOwner & { provider: string; connectionId?: string }>,
  ): Promise<void> {
    try {
      const request = await what();
      const { connectUrl } = await this.connectService.createSession(ownViewer(caller), { ...request, returnTo: INTEGRATIONS_PATH });
      await reply.send(leavePage({ to: connectUrl, name: this.registry.get(request.provider).name, caller }));
    } catch (error) {
      await this.answer(caller, reply, () => Promise.reject(error as Error));
    }
  }

  private async answer(caller: SessionPrincipal, reply: FastifyReply, work: () => Promise<CardNews>): Promise<void> {
    this.news.tell(reply, caller, await work().catch(toldOnTheCards));
    await reply.redirect(INTEGRATIONS_PATH, 303);
  }
}

function ownerFrom({ owner, people }: z.infer<typeof connectForm>): ChosenOwner {
  return people ? { owner: 'organization', policy: POLICY_CHOICES[people].policy } : { owner };
}

function toldOnTheCards(error: unknown): CardNews {
  const known = findIntegrationError(error);
  if (!known || OWN_PAGE.has(known.code)) throw error;
  return { kind: 'error', about: { error: known.code } };
}
